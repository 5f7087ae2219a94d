using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// An options monitor that keeps the last valid options. The framework's own throws into whatever reloaded the configuration,
/// and from then on into every reader; here an invalid edit is refused whole, with one log line for each error, and the old one stays. So it does
/// when a file is away, empty or broken, and when all pools are gone although nobody wrote so (<c>"Pools": {}</c>). The same refusal is logged once.
/// </summary>
internal sealed partial class LastGoodOptionsMonitor : IOptionsMonitor<StickyWsOptions>, IDisposable
{
    private readonly IOptionsFactory<StickyWsOptions> _factory;
    private readonly ILogger<LastGoodOptionsMonitor> _logger;
    private readonly ConfigurationSources? _origins;
    private readonly List<IDisposable> _registrations = [];
    private readonly Lock _lock = new();
    private Action<StickyWsOptions, string?>? _listeners;
    private volatile StickyWsOptions? _current;
    private (object? Reason, string Text) _said;

    public LastGoodOptionsMonitor(
        IOptionsFactory<StickyWsOptions> factory,
        IEnumerable<IOptionsChangeTokenSource<StickyWsOptions>> sources,
        ILogger<LastGoodOptionsMonitor> logger,
        ConfigurationSources? origins = null)
    {
        _factory = factory;
        _logger = logger;
        _origins = origins;
        if (origins is not null) origins.Broken += OnBroken;
        foreach (var source in sources) _registrations.Add(ChangeToken.OnChange(source.GetChangeToken, Reload));
    }

    /// <exception cref="OptionsValidationException">The very first options are invalid; later ones never throw.</exception>
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
                Refuse(null, [$"it has no pools, and {current.Pools.Count} serve now. To remove them all, write \"Pools\": {{}}{(_origins?.Hint is { } hint ? "; or " + hint : "")}"]);
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
#pragma warning disable CA1031 // Code of the user's configures the options too; what it throws must not reach whoever watches the file.
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
