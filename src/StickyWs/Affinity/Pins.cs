using StickyWs.Backends;

namespace StickyWs.Affinity;

/// <summary>
/// What is remembered of clients: pins that were learnt, here and in the shared store, and which backend a hashed key had last, here alone, since hashing needs no memory but to know a client that is
/// new from one that was there before.
/// </summary>
internal sealed class Pins : IDisposable
{
    // A pin that another instance moved meanwhile is noticed after this long at the latest, should its message be lost.
    private const int CheckInterval = 30;

    // Of a pin that another instance tells of; the first use here gives it its pool's own.
    private const int HeardLifetime = 20 * 60;

    private readonly PinTable _learnt = new();
    private readonly PinTable _hashed = new();
    private readonly BackendRegistry _registry;
    private readonly PinClock _clock;
    private readonly SharedPins? _shared;
    private volatile int _returnedAt = Pin.Never;

    public Pins(BackendRegistry registry, TimeProvider time, SharedPins? shared = null)
    {
        _registry = registry;
        _clock = new PinClock(time);
        _shared = shared;
        if (shared is null) return;
        shared.Heard += (key, backend) => Write(_learnt, key, new Pin(Known(backend), _clock.Now), HeardLifetime);
        shared.Returned += () => _returnedAt = _clock.Now;
    }

    public int LearntCount => _learnt.Count;

    public int HashedCount => _hashed.Count;

    public bool IsShared => _shared is not null;

    /// <summary>Whether the shared store is there and does not answer.</summary>
    public bool IsCutOff => _shared is { IsLost: true };

    /// <summary>Finds a learnt pin in this process.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="lifetime">What it gets anew.</param>
    /// <param name="backend">Its backend's name.</param>
    /// <param name="isFresh">Whether there is no need to ask the shared store.</param>
    public bool TryFind(PinKey key, TimeSpan lifetime, out string backend, out bool isFresh)
    {
        var now = _clock.Now;
        var isFound = _learnt.TryUse(key, now, Seconds(lifetime), out var pin);
        backend = pin.Backend;
        isFresh = isFound && (_shared is null || pin.CheckedAt >= now - CheckInterval);
        return isFound;
    }

    /// <summary>Asks the shared store.</summary>
    /// <returns>The backend's name, or <see langword="null"/> when there is no such pin or no answer.</returns>
    public async ValueTask<string?> FindSharedAsync(PinKey key, TimeSpan lifetime)
    {
        var (isAnswered, backend) = await _shared!.FindAsync(key).ConfigureAwait(false);
        if (backend is not null) Write(_learnt, key, new Pin(Known(backend), _clock.Now), Seconds(lifetime));
        else if (isAnswered && _learnt.TryUse(key, _clock.Now, Seconds(lifetime), out var own)) await SaveAsync(key, own.Backend, lifetime).ConfigureAwait(false);
        return backend;
    }

    /// <summary>Remembers a learnt pin. Completes when every instance can find it, or when the store was waited for long enough.</summary>
    public ValueTask SaveAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        Write(_learnt, key, new Pin(backend, Pin.Never), Seconds(lifetime));
        return _shared is null ? default : ShareAsync(key, backend, lifetime);
    }

    /// <summary>Renews a learnt pin that was used until now, in the shared store too when its time there has come.</summary>
    public void Renew(PinKey key, string backend, TimeSpan lifetime)
    {
        var now = _clock.Now;
        var isKnown = _learnt.TryUse(key, now, Seconds(lifetime), out var pin);
        if (isKnown && pin.Backend != backend) return; // It was moved meanwhile.
        if (!isKnown) Write(_learnt, key, pin = new Pin(backend, Pin.Never), Seconds(lifetime));
        if (_shared is null or { IsLost: true } || (pin.CheckedAt > _returnedAt && pin.CheckedAt > now - Math.Max(1, Seconds(lifetime) / 4))) return;

        // At once, lest everybody who uses it until the store has answered writes it too.
        Write(_learnt, key, new Pin(backend, now), Seconds(lifetime));
        _ = ShareAsync(key, backend, lifetime).AsTask();
    }

    /// <summary>Which backend a hashed key had last.</summary>
    public string? LastOf(PinKey key, TimeSpan lifetime) => _hashed.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) ? pin.Backend : null;

    public void NoteLast(PinKey key, string backend, TimeSpan lifetime) => Write(_hashed, key, new Pin(backend, Pin.Never), Seconds(lifetime));

    /// <summary>The same for a use that ends now, unless the key was moved meanwhile.</summary>
    public void RenewLast(PinKey key, string backend, TimeSpan lifetime)
    {
        if (LastOf(key, lifetime) is not { } last || last == backend) NoteLast(key, backend, lifetime);
    }

    public void Dispose() => _shared?.Dispose();

    private async ValueTask ShareAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var isSaved = await _shared!.SaveAsync(key, backend, lifetime).ConfigureAwait(false);
        var stands = _learnt.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) && pin.Backend == backend; // Or it was moved meanwhile.
        if (stands) Write(_learnt, key, new Pin(backend, isSaved ? _clock.Now : Pin.Never), Seconds(lifetime));
    }

    private void Write(PinTable table, PinKey key, Pin pin, int lifetime) => table.Set(key, pin, _clock.Now, lifetime, _registry.Current.Options.Pins.MaxPins);

    // The text that the registry holds anyway, so that pins from elsewhere bring no text of their own.
    private string Known(string backend)
    {
        foreach (var pool in _registry.Current.Pools)
        {
            foreach (var known in pool.Backends)
            {
                if (known.Name == backend) return known.Name;
            }
        }

        return backend;
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);
}
