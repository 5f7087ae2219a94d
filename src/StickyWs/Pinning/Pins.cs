using StickyWs.Backends;

namespace StickyWs.Pinning;

/// <summary>
/// What is remembered of clients: pins that were learnt, here and in the shared store, and which backend a hashed key had last, here alone, since
/// hashing needs no memory but to know a client that is new from one that was there before.
/// </summary>
internal sealed class Pins : IDisposable
{
    // A pin that another instance moved meanwhile is noticed after this long at the latest, should its message be lost.
    private const int CheckInterval = 30;

    // Until every instance has found a store again that was away.
    private const int ReturnTime = 4;

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
        shared.Heard += (key, backend) =>
        {
            // One that is known nowhere here leads nowhere, and its text is whoever's that may write to the store.
            if (Known(backend) is { } known) Write(_learnt, key, new Pin(known, _clock.Now, _clock.Now), HeardLifetime);
        };
        shared.Returned += () => _returnedAt = _clock.Now + 1; // What was saved within this second may have been saved before.
    }

    public int LearntCount => _learnt.Count;

    public int HashedCount => _hashed.Count;

    // Not before the store was found again, whole seconds being what they are.
    private int SavedNow => Math.Max(_clock.Now, _returnedAt);

    /// <summary>Whether there is a shared store, and sense in asking it.</summary>
    public bool IsAskable => _shared is { IsAskable: true };

    /// <summary>
    /// Whether the shared store is there and does not answer, or did not until a moment ago: the other instances may find it again later than this
    /// one.
    /// </summary>
    public bool IsCutOff => _shared is { IsLost: true } || _clock.Now - ReturnTime < _returnedAt;

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
        isFresh = isFound && (_shared is null || IsFresh(pin, now));
        return isFound;
    }

    /// <summary>Asks the shared store.</summary>
    /// <returns>The backend's name, or <see langword="null"/> when there is no such pin or no answer.</returns>
    public async ValueTask<string?> FindSharedAsync(PinKey key, TimeSpan lifetime)
    {
        var (isAnswered, backend) = await FindAsync(key).ConfigureAwait(false);
        var now = _clock.Now;
        var isKnown = _learnt.TryUse(key, now, Seconds(lifetime), out var own);
        if (backend is not null) Write(_learnt, key, new Pin(backend, now, isKnown && own.Backend == backend ? own.SavedAt : Pin.Never), Seconds(lifetime));
        else if (isAnswered && isKnown) await ShareAsync(key, own.Backend, lifetime).ConfigureAwait(false);
        return backend;
    }

    /// <summary>
    /// Remembers a learnt pin. Completes when every instance can find it, or when the store was waited for long enough; at once for one that the
    /// store has, since there are backends that send their cookie with every answer.
    /// </summary>
    public ValueTask SaveAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var now = _clock.Now;
        if (_learnt.TryUse(key, now, Seconds(lifetime), out var pin) && pin.Backend == backend && (_shared is null || !IsDue(pin, now, lifetime))) return default;
        Write(_learnt, key, new Pin(backend), Seconds(lifetime));
        return _shared is null ? default : ShareAsync(key, backend, lifetime);
    }

    /// <summary>
    /// Renews a learnt pin that was used until now, in the shared store too when its time there has come. Completes when the store has it; nobody
    /// needs to wait for that.
    /// </summary>
    public ValueTask RenewAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var now = _clock.Now;
        var isKnown = _learnt.TryUse(key, now, Seconds(lifetime), out var pin);
        if (isKnown && pin.Backend != backend) return default; // It was moved meanwhile.
        if (!isKnown) Write(_learnt, key, pin = new Pin(backend), Seconds(lifetime));
        if (!IsAskable || !IsDue(pin, now, lifetime)) return default;

        // At once, lest everybody who uses it until the store has answered writes it too.
        Write(_learnt, key, pin with { SavedAt = SavedNow }, Seconds(lifetime));
        return IsFresh(pin, now) ? ShareAsync(key, backend, lifetime) : ShareUnmovedAsync(key, backend, lifetime);
    }

    /// <summary>Which backend a hashed key had last.</summary>
    public string? LastOf(PinKey key, TimeSpan lifetime) => _hashed.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) ? pin.Backend : null;

    public void NoteLast(PinKey key, string backend, TimeSpan lifetime) => Write(_hashed, key, new Pin(backend), Seconds(lifetime));

    /// <summary>Renews it where it was not moved meanwhile.</summary>
    public void RenewLast(PinKey key, string backend, TimeSpan lifetime)
    {
        if (LastOf(key, lifetime) is null) NoteLast(key, backend, lifetime);
    }

    public void Dispose() => _shared?.Dispose();

    // Whether the store should get it: it was not written since the store came back, perhaps with nothing in it, or a good part of its life there is over.
    private bool IsDue(in Pin pin, int now, TimeSpan lifetime) => pin.SavedAt < _returnedAt || pin.SavedAt <= now - Math.Max(1, Seconds(lifetime) / 4);

    private static bool IsFresh(in Pin pin, int now) => pin.CheckedAt >= now - CheckInterval;

    // A tunnel may have been still for hours, and what it knows of its pin be as old.
    private async ValueTask ShareUnmovedAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var (_, found) = await FindAsync(key).ConfigureAwait(false);
        if (found is not null && found != backend) Write(_learnt, key, new Pin(found, _clock.Now, Pin.Never), Seconds(lifetime));
        else await ShareAsync(key, backend, lifetime).ConfigureAwait(false);
    }

    private async ValueTask ShareAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var savedAt = await _shared!.SaveAsync(key, backend, lifetime).ConfigureAwait(false) ? SavedNow : Pin.Never;
        var stands = _learnt.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) && pin.Backend == backend; // Or it was moved meanwhile.
        if (stands) Write(_learnt, key, new Pin(backend, savedAt, savedAt), Seconds(lifetime));
    }

    private void Write(PinTable table, PinKey key, Pin pin, int lifetime) => table.Set(key, pin, _clock.Now, lifetime, _registry.Current.Options.Pins.MaxPins);

    private async ValueTask<(bool IsAnswered, string? Backend)> FindAsync(PinKey key)
    {
        var (isAnswered, backend) = await _shared!.FindAsync(key).ConfigureAwait(false);
        return (isAnswered, backend is null ? null : Known(backend) ?? backend);
    }

    // The registry's own text for a name: instances may write it in another case, and pins from elsewhere are to bring no text of their own.
    private string? Known(string backend)
    {
        foreach (var pool in _registry.Current.PoolsInUse)
        {
            foreach (var known in pool.Backends)
            {
                if (known.Name.Equals(backend, StringComparison.OrdinalIgnoreCase)) return known.Name;
            }
        }

        return null;
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);
}
