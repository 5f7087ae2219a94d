using StickyWs.Observability;

namespace StickyWs.Backends;

/// <summary>
/// Those of a pool that wait for a place, first come, first served. A place that becomes free is taken on behalf of the first that it is good for, and
/// only this one is woken. Clients that must go to a certain backend wait for its places alone; all others for any place of a backend that gets new work,
/// also of one that was added since. While nobody waits, returning a lease costs the line one read.
/// </summary>
internal sealed class WaitLine
{
    // A token may fall due between the refusal and the question when. Then it is looked for again after this time.
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(1);

    private readonly LeaseKind _kind;
    private readonly TimeProvider _time;
    private readonly WaitLines _lines;
    private readonly Lock _lock = new();
    private readonly WaitDeadlines _deadlines;
    private readonly WaitGroups _any = new();
    private readonly Dictionary<Backend, LinkedList<Waiter>> _bound = [];
    private int _count;
    private volatile bool _hasAny;
    private long _last;
    private bool _isClosed;
    private ITimer? _timer;
    private long _timerAt = long.MaxValue;

    public WaitLine(LeaseKind kind, TimeProvider time, WaitLines lines)
    {
        (_kind, _time, _lines) = (kind, time, lines);
        _deadlines = new WaitDeadlines(time, EndOverdue);
    }

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
        if (Enter(waiter, length, longest) is { } end) return new(end);
        if (waiter.Task.IsCompleted) return new(waiter.Task.Result);
        return left.CanBeCanceled ? WaitAsync(waiter, left) : new(waiter.Task);
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
            foreach (var waiter in All()) waiter.Follow(_lines.Current);
            _any.Regroup();
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

    private static async ValueTask<WaitEnd> WaitAsync(Waiter waiter, CancellationToken left)
    {
        using var leaving = left.UnsafeRegister(static waiter => ((Waiter)waiter!).Line!.Leave((Waiter)waiter), waiter);
        return await waiter.Task.ConfigureAwait(false);
    }

    private WaitEnd? Enter(Waiter waiter, int length, TimeSpan longest)
    {
        lock (_lock)
        {
            if (_isClosed) return WaitEnd.Closed;
            // With a full fence, before places are looked for: who frees one from now on sees that somebody waits, who did so before is seen here.
            Interlocked.Increment(ref _count);
            waiter.Follow(_lines.Current);
            (waiter.Line, waiter.Number) = (this, ++_last);
            if (waiter.Only is { } bound) waiter.Place = ListOf(bound).AddLast(waiter);
            else _any.Add(waiter);
            NoteLengths(waiter);
            if (waiter.IsStranded()) End(waiter, WaitEnd.Stranded);
            else if (waiter.Only is { } only) Serve(only);
            else ServeAny(waiter);
            if (waiter.Place is not null && _count > length) End(waiter, WaitEnd.Full);
            else if (waiter.Place is not null && IsMoreThanItsPart(waiter, length)) End(waiter, WaitEnd.FullForBackend);
            if (waiter.Place is not null) _deadlines.Add(waiter, longest);
            return null;
        }
    }

    // Those of one slow backend must not keep all others out of the line.
    private bool IsMoreThanItsPart(Waiter waiter, int length)
        => waiter.Only is { } only && ListOf(only).Count > (length + 1) / 2 && waiter.HasOtherBackends();

    private void Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (waiter.Place is not null) End(waiter, WaitEnd.Left);
        }
    }

    private void EndOverdue()
    {
        lock (_lock)
        {
            _deadlines.NoteFired();
            while (_deadlines.NextOverdue() is { } waiter) End(waiter, WaitEnd.TimedOut);
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
        foreach (var pool in _any.Pools) backends.UnionWith(pool.Backends);

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
            switch (waiter.TryLease(backend, _kind))
            {
                case LeaseResult.Granted:
                    End(waiter, WaitEnd.Granted);
                    return true;
                case LeaseResult.AllFull:
                    End(waiter, WaitEnd.NoTunnel);
                    break;
                case LeaseResult.BackendFull:
                    while (_bound.TryGetValue(backend, out var bound)) End(bound.First!.Value, WaitEnd.BackendFull);
                    foreach (var hopeless in _any.WithoutTunnel(backend, _kind).ToArray()) End(hopeless, WaitEnd.NoTunnel);
                    return false;
                default:
                    if (_kind == LeaseKind.Tunnel && backend.PaceWait is { } wait) LookAgainIn(wait);
                    return false;
            }
        }

        return false;
    }

    // No release tells that a backend's rate allows another handshake. In whole milliseconds, as the system's timers count.
    private void LookAgainIn(TimeSpan wait)
    {
        wait = wait < ShortestLook ? ShortestLook : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        var at = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        if (at >= _timerAt) return;
        _timerAt = at;
        _timer ??= _time.CreateLasting(static line => ((WaitLine)line!).ServeInTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
        var any = backend.IsEligible ? _any.First(backend) : null;
        return bound is null || any?.Number < bound.Number ? any : bound;
    }

    private void End(Waiter waiter, WaitEnd end)
    {
        _deadlines.Remove(waiter);
        if (waiter.Only is not { } only) _any.Remove(waiter);
        else if (ListOf(only) is { Count: 1 }) _bound.Remove(only);
        else ListOf(only).Remove(waiter.Place!);
        waiter.Place = null;
        NoteLengths(waiter);
        Interlocked.Decrement(ref _count);
        waiter.SetResult(end);
    }

    private void NoteLengths(Waiter waiter)
    {
        if (waiter.Only is { } only) only.NoteAwaited(_kind, _bound.ContainsKey(only));
        else _hasAny = _any.Count > 0;
    }

    private LinkedList<Waiter> ListOf(Backend only)
    {
        if (!_bound.TryGetValue(only, out var list)) _bound[only] = list = [];
        return list;
    }

    private IEnumerable<Waiter> All() => _bound.Values.SelectMany(list => list).Concat(_any.All);
}
