using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Direct;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Hosting;

/// <summary>
/// Says at the start which pools cannot be direct after all, and which routes of the application their pools hide. After Kestrel has bound its listeners,
/// since only then it is known whether there is a raw lane.
/// </summary>
internal sealed partial class DirectAdvice(
    BackendRegistry registry, DirectServices direct, ILogger<DirectAdvice> logger, EndpointDataSource? routes = null, RawLane? lane = null)
    : IHostedLifecycleService
{
    private const string All = "plain requests";
    private const string LearnsFromBody = "their answer's body is learnt from";

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var pool in registry.Current.Pools)
        {
            if (pool.Options.Http != HttpMode.Direct) continue;
            if (lane is not { IsOn: true }) LogNotDirect(pool.Name, All, "there is no raw lane");
            else if (direct.ObstacleOf(pool) is { } obstacle) LogNotDirect(pool.Name, All, obstacle);
            else Advise(pool);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Advise(PoolSnapshot pool)
    {
        foreach (var rule in pool.Options.Affinity.Rules)
        {
            if (rule.SignalR is not null) LogNotDirect(pool.Name, "POSTs to .../negotiate", LearnsFromBody);
            else if (rule.SocketIO is not null) LogNotDirect(pool.Name, "first polls of Socket.IO", LearnsFromBody);
        }

        if (HiddenBy(pool.Options.Match) is { } hidden) LogHidden(pool.Name, hidden);
    }

    // A pool with host names may leave the others to the application. A fallback, which has the last order, is for what no pool takes.
    private string? HiddenBy(MatchOptions match)
    {
        if (match.Hosts.Count > 0) return null;
        foreach (var endpoint in routes?.Endpoints ?? [])
        {
            if (endpoint is not RouteEndpoint { Order: not int.MaxValue } route) continue;
            var path = $"/{route.RoutePattern.RawText?.TrimStart('/')}";
            if (match.PathPrefixes.Count == 0 || match.PathPrefixes.Any(prefix => IsBelow(path, prefix.TrimEnd('/')))) return path;
        }

        return null;
    }

    private static bool IsBelow(string path, string prefix)
        => path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && (path.Length == prefix.Length || path[prefix.Length] == '/');

    [LoggerMessage(EventIds.PoolNotDirect, LogLevel.Information,
        "Of pool {Pool}, {Requests} pass the pipeline in spite of Http: Direct, because {Obstacle}",
        EventName = "PoolNotDirect")]
    private partial void LogNotDirect(string pool, string requests, string obstacle);

    [LoggerMessage(EventIds.RouteHidden, LogLevel.Warning,
        "Pool {Pool} is direct and hides the application's route {Route}: give the pool prefixes or hosts of its own, or set its Http to Pipeline",
        EventName = "RouteHidden")]
    private partial void LogHidden(string pool, string route);
}
