using Microsoft.Extensions.Logging;
using StickyWs.Binding;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Pipeline;

namespace StickyWs.Hosting;

/// <summary>Warns, once each, about what a valid configuration lacks to balance anything.</summary>
internal sealed partial class ConfigurationAdvice(ConfigurationSources sources, PipelineMark pipeline, ILogger<ConfigurationAdvice> logger)
{
    private string? _last;
    private bool _saidPipeline;

    /// <summary>Checks options that came into effect.</summary>
    public void Consider(StickyWsOptions options)
    {
        var hint = sources.Hint;
        var advice = $"{options.Pools.Count == 0}{hint}";
        if (advice == _last) return;
        _last = advice;
        if (options.Pools.Count == 0) LogNoPools(hint ?? $"set {sources.Path}:Pools:<pool>:Backends:<backend>:Address");
        else if (hint is not null) LogMisspelt(hint);
    }

    /// <summary>Checks the pipeline, once the application has built it.</summary>
    public void ConsiderPipeline(StickyWsOptions options)
    {
        if (_saidPipeline || pipeline.IsSet || options.Pools.Count == 0) return;
        _saidPipeline = true;
        LogPipelineForgotten();
    }

    [LoggerMessage(EventIds.SectionMisspelt, LogLevel.Warning, "Part of the configuration has no effect: {Hint}", EventName = "SectionMisspelt")]
    private partial void LogMisspelt(string hint);

    [LoggerMessage(EventIds.NoPools, LogLevel.Warning, "There are no pools, and nothing is balanced: {Remedy}", EventName = "NoPools")]
    private partial void LogNoPools(string remedy);

    [LoggerMessage(EventIds.PipelineForgotten, LogLevel.Warning,
        "Plain HTTP, and WebSockets inside TLS, are not balanced: call app.UseStickyWebSocketBalancing() after builder.Build()",
        EventName = "PipelineForgotten")]
    private partial void LogPipelineForgotten();
}
