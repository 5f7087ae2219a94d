using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>
/// An options monitor that keeps the last valid options. The framework's own throws into whatever reloaded the configuration,
/// and from then on into every reader; here an invalid edit is refused whole with one log line, and the old one stays.
/// </summary>
internal sealed partial class LastGoodOptionsMonitor : IOptionsMonitor<StickyWsOptions>, IDisposable
{
    private readonly IOptionsFactory<StickyWsOptions> _factory;
    private readonly ILogger<LastGoodOptionsMonitor> _logger;
    private readonly List<IDisposable> _registrations = [];
    private readonly Lock _lock = new();
    private Action<StickyWsOptions, string?>? _listeners;
    private volatile StickyWsOptions? _current;

    public LastGoodOptionsMonitor(
        IOptionsFactory<StickyWsOptions> factory,
        IEnumerable<IOptionsChangeTokenSource<StickyWsOptions>> sources,
        ILogger<LastGoodOptionsMonitor> logger)
    {
        _factory = factory;
        _logger = logger;
        foreach (var source in sources) _registrations.Add(ChangeToken.OnChange(source.GetChangeToken, Reload));
    }

    /// <exception cref="OptionsValidationException">The very first options are invalid; later ones never throw.</exception>
    public StickyWsOptions CurrentValue
    {
        get
        {
            if (_current is { } current) return current;
            lock (_lock) return _current ??= _factory.Create(Options.DefaultName);
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
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Reload()
    {
        lock (_lock)
        {
            try
            {
                _current = _factory.Create(Options.DefaultName);
            }
            catch (OptionsValidationException e)
            {
                LogRefused(string.Join(" ", e.Failures), null);
                return;
            }
#pragma warning disable CA1031 // Code of the user's configures the options too; what it throws must not reach whoever watches the file.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogRefused(e.Message, e);
                return;
            }

            _listeners?.Invoke(_current, Options.DefaultName);
        }
    }

    private sealed class Registration(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
