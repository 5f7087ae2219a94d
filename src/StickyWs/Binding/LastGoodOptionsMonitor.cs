using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Binding;

/// <summary>
/// An options monitor that keeps the last valid options. The framework's monitor throws into whatever reloaded the configuration, and from then on
/// into every reader. This one rejects an invalid edit as a whole, with one log line per error, and keeps the previous options. It does the same if a
/// file is missing, empty or broken, and if all pools are gone without an explicit <c>"Pools": {}</c>. A repeated rejection is logged once.
/// </summary>
internal sealed partial class LastGoodOptionsMonitor : IOptionsMonitor<StickyWsOptions>, IDisposable
{
    private readonly IOptionsFactory<StickyWsOptions> _factory;
    private readonly ILogger<LastGoodOptionsMonitor> _logger;
    private readonly ConfigurationSources? _origins;
    private readonly StickyWsMetrics? _metrics;
    private readonly List<IDisposable> _registrations = [];
    private readonly Lock _lock = new();
    private Action<StickyWsOptions, string?>? _listeners;
    private volatile StickyWsOptions? _current;
    private (object? Reason, string Text) _said;

    public LastGoodOptionsMonitor(
        IOptionsFactory<StickyWsOptions> factory,
        IEnumerable<IOptionsChangeTokenSource<StickyWsOptions>> sources,
        ILogger<LastGoodOptionsMonitor> logger,
        ConfigurationSources? origins = null,
        StickyWsMetrics? metrics = null)
    {
        _metrics = metrics;
        _factory = factory;
        _logger = logger;
        _origins = origins;
        if (origins is not null) origins.Broken += OnBroken;
        foreach (var source in sources) _registrations.Add(ChangeToken.OnChange(source.GetChangeToken, Reload));
    }

    /// <exception cref="OptionsValidationException">The first options are invalid; later ones never throw.</exception>
    public StickyWsOptions CurrentValue
    {
        get
        {
            if (_current is { } current) return current;
            lock (_lock) return _current ??= CreateFirst();
        }
    }

    public StickyWsOptions Get(string? name) => CurrentValue;

    public IDisposable OnChange(Action<StickyWsOptions, string?> listener)
    {
        lock (_lock) _listeners += listener;
        return new Registration(() =>
        {
            lock (_lock) _listeners -= listener;
        });
    }

    public void Dispose()
    {
        if (_origins is not null) _origins.Broken -= OnBroken;
        foreach (var registration in _registrations) registration.Dispose();
    }

    private StickyWsOptions CreateFirst()
    {
        try
        {
            var first = _factory.Create(Options.DefaultName);
            _origins?.Remember();
            return first;
        }
        catch (OptionsValidationException e) when (_logger.IsEnabled(LogLevel.Error))
        {
            string[] failures = [.. e.Failures];
            if (IsNews(null, failures)) Array.ForEach(failures, LogInvalid);
            throw new LoggedOptionsException(failures);
        }
    }

    private void Reload()
    {
        lock (_lock)
        {
            if (_origins?.FindLost() is { } lost)
            {
                if (_said.Reason != lost.Provider) Refuse(lost.Provider, [lost.Error]);
                return;
            }

            if (TryCreate() is not { } changed) return;
            if (changed is { Pools.Count: 0, NamesPools: false } && _current is { Pools.Count: > 0 } current)
            {
                var hint = _origins?.Hint is { } other ? $"; or {other}" : "";
                Refuse(null, [$"it has no pools, and {current.Pools.Count} are in use. To remove them all, write \"Pools\": {{}}{hint}"]);
                return;
            }

            _said = default;
            _current = changed;
            _origins?.Remember();
            _listeners?.Invoke(changed, Options.DefaultName);
        }
    }

    private StickyWsOptions? TryCreate()
    {
        try
        {
            return _factory.Create(Options.DefaultName);
        }
        catch (OptionsValidationException e)
        {
            Refuse(null, [.. e.Failures]);
        }
#pragma warning disable CA1031 // The user's code also configures the options; its exceptions must not reach the file watcher.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Refuse(null, [e.Message], e);
        }

        return null;
    }

    private void OnBroken(LostSource source)
    {
        lock (_lock) Refuse(source.Provider, [source.Error]);
    }

    private void Refuse(object? reason, string[] errors, Exception? exception = null)
    {
        if (!IsNews(reason, errors)) return;
        foreach (var error in errors) LogRefused(error, exception);
        _metrics?.ConfigurationChanged(isApplied: false);
    }

    private bool IsNews(object? reason, string[] errors)
    {
        var before = _said;
        _said = (reason, string.Join('\n', errors));
        return before != _said;
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
