using StickyWs.Backends;

namespace StickyWs.Pinning;

/// <summary>
/// What is remembered about clients: learnt pins, here and in the shared store; and the last backend of each hashed key, here only. Hashing needs
/// that memory just to tell a new client from one that was there before.
/// </summary>
internal sealed class Pins : IDisposable
{
    // If the message about a pin that another instance moved is lost, the move is noticed after this many seconds at the latest.
    private const int CheckInterval = 30;

    // The seconds until every instance has noticed that a lost store is back.
    private const int ReturnTime = 4;

    // The lifetime in seconds of a pin that another instance announced, until its first use here sets its pool's own.
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
            // An unknown backend name leads nowhere, and its text could come from anything that can write to the store.
            if (Known(backend) is { } known) Write(_learnt, key, new Pin(known, _clock.Now, _clock.Now), HeardLifetime);
        };
        shared.Returned += () => _returnedAt = _clock.Now + 1; // Whatever was saved within this second may have been saved before the return.
    }

    public int LearntCount => _learnt.Count;

    public int HashedCount => _hashed.Count;

    // Not before the return of the store, given that the clock counts whole seconds.
    private int SavedNow => Math.Max(_clock.Now, _returnedAt);

    /// <summary>Whether there is a shared store.</summary>
    public bool AreShared => _shared is not null;

    /// <summary>Whether there is a shared store that may be asked.</summary>
    public bool IsAskable => _shared is { IsAskable: true };

    /// <summary>
    /// Whether there is a shared store that does not answer, or did not until a moment ago: other instances may notice its return later than this
    /// one.
    /// </summary>
    public bool IsCutOff => _shared is { IsLost: true } || _clock.Now - ReturnTime < _returnedAt;

    /// <summary>Finds a learnt pin in this process, and renews it.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="lifetime">Its new lifetime.</param>
    /// <param name="backend">Its backend's name.</param>
    /// <param name="isFresh">Whether the shared store need not be asked.</param>
    public bool TryFind(PinKey key, TimeSpan lifetime, out string backend, out bool isFresh)
    {
        var now = _clock.Now;
        var isFound = _learnt.TryUse(key, now, Seconds(lifetime), out var pin);
        backend = pin.Backend;
        isFresh = isFound && (_shared is null || IsFresh(pin, now));
        return isFound;
    }

    /// <summary>Asks the shared store.</summary>
    /// <returns>The backend's name, or <see langword="null"/> if there is no such pin or no answer.</returns>
    public async ValueTask<string?> FindSharedAsync(PinKey key, TimeSpan lifetime)
    {
        var (isAnswered, backend) = await FindAsync(key).ConfigureAwait(false);
        var now = _clock.Now;
        var isKnown = _learnt.TryUse(key, now, Seconds(lifetime), out var own);
        var isSame = isKnown && own.Backend == backend;
        if (backend is not null) Write(_learnt, key, new Pin(backend, now, isSame ? own.SavedAt : Pin.Never), Seconds(lifetime));
        else if (isAnswered && isKnown) await ShareAsync(key, own.Backend, lifetime).ConfigureAwait(false);
        return backend;
    }

    /// <summary>
    /// Remembers a learnt pin. Completes when every instance can find it, or when the wait for the store times out. Returns at once if the store has
    /// it already, since some backends send their cookie with every response.
    /// </summary>
    public ValueTask SaveAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var now = _clock.Now;
        var isRemembered = _learnt.TryUse(key, now, Seconds(lifetime), out var pin) && pin.Backend == backend;
        if (isRemembered && (_shared is null || !IsDue(pin, now, lifetime))) return default;
        Write(_learnt, key, new Pin(backend), Seconds(lifetime));
        return _shared is null ? default : ShareAsync(key, backend, lifetime);
    }

    /// <summary>
    /// Renews a learnt pin that was in use until now, and its copy in the shared store if that is due. Completes when the store has it; there is no
    /// need to wait for that.
    /// </summary>
    public ValueTask RenewAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var now = _clock.Now;
        var isKnown = _learnt.TryUse(key, now, Seconds(lifetime), out var pin);
        if (isKnown && pin.Backend != backend) return default; // It has moved in the meantime.
        if (!isKnown) Write(_learnt, key, pin = new Pin(backend), Seconds(lifetime));
        if (!IsAskable || !IsDue(pin, now, lifetime)) return default;

        // At once, or every use until the store has answered would write it again.
        Write(_learnt, key, pin with { SavedAt = SavedNow }, Seconds(lifetime));
        return IsFresh(pin, now) ? ShareAsync(key, backend, lifetime) : ShareUnmovedAsync(key, backend, lifetime);
    }

    /// <summary>The backend that a hashed key had last.</summary>
    public string? LastOf(PinKey key, TimeSpan lifetime)
        => _hashed.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) ? pin.Backend : null;

    public void NoteLast(PinKey key, string backend, TimeSpan lifetime) => Write(_hashed, key, new Pin(backend), Seconds(lifetime));

    /// <summary>Renews it, unless it has moved in the meantime.</summary>
    public void RenewLast(PinKey key, string backend, TimeSpan lifetime)
    {
        if (LastOf(key, lifetime) is null) NoteLast(key, backend, lifetime);
    }

    public void Dispose() => _shared?.Dispose();

    // Whether to write it to the store: it was not written since the store came back, perhaps empty, or a good part of its lifetime there is over.
    private bool IsDue(in Pin pin, int now, TimeSpan lifetime)
        => pin.SavedAt < _returnedAt || pin.SavedAt <= now - Math.Max(1, Seconds(lifetime) / 4);

    private static bool IsFresh(in Pin pin, int now) => pin.CheckedAt >= now - CheckInterval;

    // A tunnel may have been idle for hours, and its knowledge of the pin may be as old.
    private async ValueTask ShareUnmovedAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var (_, found) = await FindAsync(key).ConfigureAwait(false);
        if (found is not null && found != backend) Write(_learnt, key, new Pin(found, _clock.Now, Pin.Never), Seconds(lifetime));
        else await ShareAsync(key, backend, lifetime).ConfigureAwait(false);
    }

    private async ValueTask ShareAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        var savedAt = await _shared!.SaveAsync(key, backend, lifetime).ConfigureAwait(false) ? SavedNow : Pin.Never;
        var isCurrent = _learnt.TryUse(key, _clock.Now, Seconds(lifetime), out var pin) && pin.Backend == backend; // Otherwise it has moved.
        if (isCurrent) Write(_learnt, key, new Pin(backend, savedAt, savedAt), Seconds(lifetime));
    }

    private void Write(PinTable table, PinKey key, Pin pin, int lifetime)
        => table.Set(key, pin, _clock.Now, lifetime, _registry.Current.Options.Pins.MaxPins);

    private async ValueTask<(bool IsAnswered, string? Backend)> FindAsync(PinKey key)
    {
        var (isAnswered, backend) = await _shared!.FindAsync(key).ConfigureAwait(false);
        return (isAnswered, backend is null ? null : Known(backend) ?? backend);
    }

    // The registry's own string for a name: other instances may use another case, and strings from elsewhere should not be kept.
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
