using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>The configuration as a source of backends: every valid load of the options is a revision.</summary>
internal sealed class ConfiguredBackends : IBackendSource, IDisposable
{
    private readonly Lock _lock = new();
    private readonly IOptionsMonitor<StickyWsOptions> _options;
    private readonly IDisposable? _subscription;
    private Action<Definitions>? _changed;
    private Definitions? _current;

    public ConfiguredBackends(IOptionsMonitor<StickyWsOptions> options)
    {
        _options = options;
        _subscription = options.OnChange((changed, _) => Change(changed));
    }

    /// <exception cref="OptionsValidationException">The first options are invalid.</exception>
    public Definitions Current
    {
        get
        {
            var first = _options.CurrentValue; // Not under the lock: a reload calls in the other order.
            lock (_lock) return _current ??= Definitions.Of(first, 1);
        }
    }

    public IDisposable OnChange(Action<Definitions> changed)
    {
        lock (_lock) _changed += changed;
        return new Subscription(this, changed);
    }

    public void Dispose() => _subscription?.Dispose();

    private void Change(StickyWsOptions options)
    {
        lock (_lock)
        {
            _current = Definitions.Of(options, (_current?.Revision ?? 0) + 1);
            _changed?.Invoke(_current);
        }
    }

    private sealed class Subscription(ConfiguredBackends source, Action<Definitions> changed) : IDisposable
    {
        public void Dispose()
        {
            lock (source._lock) source._changed -= changed;
        }
    }
}
