using StickyWs.Observability;

namespace StickyWs.Backends;

/// <summary>
/// Those of a pool that wait for a place, first come, first served. A place that becomes free is taken on behalf of the first that it is good for, and
/// only this one is woken. Clients that must go to a certain backend wait for its places alone; all others for any place of a backend that gets new work,
/// also of one that was added since. While nobody waits, returning a lease costs the line one read.
/// </summary>
internal sealed class WaitLine(LeaseKind kind, TimeProvider time, WaitLines lines)
{
    // A token may fall due between the refusal and the question when. Then it is looked for again after this time.
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _any = [];
    private readonly Dictionary<Backend, LinkedList<Waiter>> _bound = [];
    private int _count;
    private volatile bool _hasAny;
    private long _last;
    private bool _isClosed;
    private ITimer? _timer;
    private long _timerAt = long.MaxValue;

    /// <summary>How many wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether somebody waits for a place at any backend, so that newcomers who do so, too, are behind him.</summary>
    public bool HasWaitersForAny => _hasAny;

    /// <summary>Waits for a place, in turn.</summary>
    /// <param name="waiter">A new one.</param>
    /// <param name="length">How many may wait; for one backend of several, half of them.</param>
    /// <param name="longest">How long it may wait.</param>
    /// <param name="left">Fires when it need not wait any more.</param>
    public ValueTask<WaitEnd> WaitAsync(Waiter waiter, int length, TimeSpan longest, CancellationToken left)
    {
        if (Enter(waiter, length) is { } end) return new(end);
        return waiter.Task.IsCompleted ? new(waiter.Task.Result) : WaitAsync(waiter, longest, left);
    }

    /// <summary>A backend may have a free place. Called after every release, and where a limit was found reached that had been taken for a moment.</summary>
    public void Freed(Backend backend)
    {
        if (Count == 0) return;
        lock (_lock) Serve(backend);
    }

    /// <summary>Limits, shares, modes, health or the pool itself have changed: those who wait follow the change, and keep their order.</summary>
    public void Look()
    {
        Interlocked.MemoryBarrier(); // The change comes first: who enters later, and is not counted yet, sees it himself.
        if (Count == 0) return;
        lock (_lock)
        {
            foreach (var waiter in All()) waiter.Follow(lines.Current);
            foreach (var waiter in All().Where(waiter => waiter.IsStranded()).ToArray()) End(waiter, WaitEnd.Stranded);
            ServeAll();
        }
    }

    /// <summary>Nobody waits any more, now or later.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach (var waiter in All().ToArray()) End(waiter, WaitEnd.Closed);
        }
    }

    private async ValueTask<WaitEnd> WaitAsync(Waiter waiter, TimeSpan longest, CancellationToken left)
    {
        using var timer = time.CreateTimer(_ => Leave(waiter, WaitEnd.TimedOut), null, longest, Timeout.InfiniteTimeSpan);
        using var leaving = left.UnsafeRegister(_ => Leave(waiter, WaitEnd.Left), null);
        return await waiter.Task.ConfigureAwait(false);
    }

    private WaitEnd? Enter(Waiter waiter, int length)
    {
        lock (_lock)
        {
            if (_isClosed) return WaitEnd.Closed;
            // With a full fence, before places are looked for: who frees one from now on sees that somebody waits, who did so before is seen here.
            Interlocked.Increment(ref _count);
            waiter.Follow(lines.Current);
            waiter.Number = ++_last;
            waiter.Place = ListOf(waiter).AddLast(waiter);
            NoteLengths(waiter);
            if (waiter.IsStranded()) End(waiter, WaitEnd.Stranded);
            else if (waiter.Only is { } only) Serve(only);
            else ServeAny(waiter);
            if (waiter.Place is not null && _count > length) End(waiter, WaitEnd.Full);
            else if (waiter.Place is not null && IsMoreThanItsPart(waiter, length)) End(waiter, WaitEnd.FullForBackend);
            return null;
        }
    }

    // Those of one slow backend must not keep all others out of the line.
    private bool IsMoreThanItsPart(Waiter waiter, int length)
        => waiter.Only is not null && ListOf(waiter).Count > (length + 1) / 2 && waiter.HasOtherBackends();

    private void Leave(Waiter waiter, WaitEnd end)
    {
        lock (_lock)
        {
            if (waiter.Place is not null) End(waiter, end);
        }
    }

    // From another one on each time, so that no backend is preferred.
    private void ServeAny(Waiter waiter)
    {
        var backends = waiter.Pool.Backends;
        for (var i = 0; i < backends.Length && waiter.Place is not null; i++) Serve(backends[(int)((waiter.Number + i) % backends.Length)]);
    }

    // Gives out the free places of all backends in turns, by weights and what slow start takes off them: no backend gets the whole line because it comes first.
    private void ServeAll()
    {
        HashSet<Backend> backends = [.. _bound.Keys];
        PoolSnapshot? seen = null;
        foreach (var waiter in _any)
        {
            if (!ReferenceEquals(waiter.Pool, seen)) backends.UnionWith((seen = waiter.Pool).Backends);
        }

        var turns = new PriorityQueue<(Backend Backend, int Number), double>();
        foreach (var backend in backends) turns.Enqueue((backend, 1), 1 / backend.EffectiveWeight);
        while (turns.TryDequeue(out var turn, out _))
        {
            if (TryServeOne(turn.Backend)) turns.Enqueue((turn.Backend, turn.Number + 1), (turn.Number + 1) / turn.Backend.EffectiveWeight);
        }
    }

    private void Serve(Backend backend)
    {
        while (TryServeOne(backend))
        {
        }
    }

    // Gives one free place of a backend to the first that it is good for, and says whether there was one. Tunnel limits are not waited for.
    private bool TryServeOne(Backend backend)
    {
        while (First(backend) is { } waiter)
        {
            switch (waiter.TryLease(backend, kind))
            {
                case LeaseResult.Granted:
                    End(waiter, WaitEnd.Granted);
                    return true;
                case LeaseResult.AllFull:
                    End(waiter, WaitEnd.NoTunnel);
                    break;
                case LeaseResult.BackendFull:
                    while (_bound.TryGetValue(backend, out var bound)) End(bound.First!.Value, WaitEnd.BackendFull);
                    if (waiter.Place is null) break;
                    if (waiter.MayGetTunnel(kind)) return false;
                    End(waiter, WaitEnd.NoTunnel);
                    break;
                default:
                    if (kind == LeaseKind.Tunnel && backend.PaceWait is { } wait) LookAgainIn(wait);
                    return false;
            }
        }

        return false;
    }

    // No release tells that a backend's rate allows another handshake. In whole milliseconds, as the system's timers count.
    private void LookAgainIn(TimeSpan wait)
    {
        wait = wait < ShortestLook ? ShortestLook : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        var at = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        if (at >= _timerAt) return;
        _timerAt = at;
        _timer ??= time.CreateLasting(static line => ((WaitLine)line!).ServeInTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void ServeInTime()
    {
        lock (_lock)
        {
            _timerAt = long.MaxValue;
            ServeAll();
        }
    }

    private Waiter? First(Backend backend)
    {
        var bound = _bound.GetValueOrDefault(backend)?.First?.Value;
        if (!backend.IsEligible) return bound;
        for (var place = _any.First; place is not null && !(bound?.Number < place.Value.Number); place = place.Next)
        {
            if (place.Value.Accepts(backend)) return place.Value;
        }

        return bound;
    }

    private void End(Waiter waiter, WaitEnd end)
    {
        var list = ListOf(waiter);
        list.Remove(waiter.Place!);
        waiter.Place = null;
        NoteLengths(waiter);
        Interlocked.Decrement(ref _count);
        if (list.Count == 0 && waiter.Only is { } only) _bound.Remove(only);
        waiter.SetResult(end);
    }

    private void NoteLengths(Waiter waiter)
    {
        if (waiter.Only is { } only) only.NoteAwaited(kind, ListOf(waiter).Count > 0);
        else _hasAny = _any.Count > 0;
    }

    private LinkedList<Waiter> ListOf(Waiter waiter)
    {
        if (waiter.Only is not { } only) return _any;
        if (!_bound.TryGetValue(only, out var list)) _bound[only] = list = [];
        return list;
    }

    private IEnumerable<Waiter> All() => _bound.Values.SelectMany(list => list).Concat(_any);
}
