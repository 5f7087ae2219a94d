namespace StickyWs.Backends;

// What it has to do, and how much that may be.
public sealed partial class Backend
{
    private readonly TunnelTotal _total;
    private volatile int _maxTunnels = int.MaxValue;
    private volatile int _maxHandshakes = int.MaxValue;
    private volatile int _maxRequests = int.MaxValue;
    private volatile TokenBucket? _rate;
    private volatile bool _isEligible;
    private volatile bool _areHandshakesAwaited;
    private volatile bool _areRequestsAwaited;
    private readonly int[] _tied = new int[3]; // By ClientTie.
    private int _tunnels;
    private int _handshakes;
    private int _requests;

    /// <summary>The maximum number of its tunnels; <see langword="null"/> for no limit.</summary>
    internal int? MaxTunnels => Limit(_maxTunnels);

    /// <summary>The maximum number of its handshakes in progress; <see langword="null"/> for no limit.</summary>
    internal int? MaxHandshakes => Limit(_maxHandshakes);

    /// <summary>The maximum number of its plain requests in progress; <see langword="null"/> for no limit.</summary>
    internal int? MaxRequests => Limit(_maxRequests);

    /// <summary>Its open tunnels, including handshakes in progress.</summary>
    public int ActiveTunnels => Volatile.Read(ref _tunnels);

    /// <summary>Its plain HTTP requests in progress.</summary>
    public int ActiveRequests => Volatile.Read(ref _requests);

    /// <summary>Its handshakes in progress, from the lease to the verified answer.</summary>
    internal int ActiveHandshakes => Volatile.Read(ref _handshakes);

    /// <summary>
    /// After <see cref="LeaseResult.Busy"/>: how long until its rate may allow another handshake, zero if it does by now; <see langword="null"/> if only
    /// the end of a handshake brings a place.
    /// </summary>
    internal TimeSpan? PaceWait
    {
        get
        {
            if (_rate?.Wait is not { } wait) return null;
            return wait > TimeSpan.Zero || ActiveHandshakes < Shared(_maxHandshakes) ? wait : null;
        }
    }

    /// <summary>Whether a pool in use gives it new work, whatever its limits say; written by the registry.</summary>
    internal bool IsEligible
    {
        get => _isEligible;
        set => _isEligible = value;
    }

    /// <summary>Where those wait who found its limits reached; set by the registry before it is published.</summary>
    internal WaitLines? Lines { get; init; }

    /// <summary>Whether somebody waits for a place here and nowhere else: newcomers are behind him.</summary>
    internal bool IsAwaited(LeaseKind kind) => kind == LeaseKind.Request ? _areRequestsAwaited : _areHandshakesAwaited;

    /// <summary>Written by the line, under its lock.</summary>
    internal void NoteAwaited(LeaseKind kind, bool isAwaited)
    {
        if (kind == LeaseKind.Request) _areRequestsAwaited = isAwaited;
        else _areHandshakesAwaited = isAwaited;
    }

    /// <summary>Whether it has all the tunnels that it may have, so that waiting for a place is in vain.</summary>
    internal bool IsFull(LeaseKind kind) => kind == LeaseKind.Tunnel && ActiveTunnels >= _maxTunnels;

    internal void Configure(int weight, int? maxTunnels, WorkLimits? limits = null, TimeProvider? time = null)
    {
        if (limits?.HandshakeRate is not { } rate) _rate = null;
        else if (_rate is not { } bucket) _rate = new TokenBucket(rate, time ?? TimeProvider.System);
        else if (bucket.PerSecond != rate) _rate = bucket.At(rate);
        ConfigureWeight(weight);
        _maxTunnels = maxTunnels ?? int.MaxValue;
        _maxHandshakes = limits?.MaxHandshakes ?? int.MaxValue;
        _maxRequests = limits?.MaxRequests ?? int.MaxValue;
    }

    internal LeaseResult TryLease(LeaseKind kind, int maxTunnelsInAll, out Lease lease, ILeaseEnd? end = null)
    {
        lease = new Lease(this, kind, end, isShaking: kind == LeaseKind.Tunnel);
        if (kind == LeaseKind.Tunnel) return TryTakeTunnel(maxTunnelsInAll);
        return TunnelTotal.TryAdd(ref _requests, Shared(_maxRequests)) ? LeaseResult.Granted : LeaseResult.Busy;
    }

    /// <summary>How many of its open tunnels have such a tie.</summary>
    internal int TunnelsWith(ClientTie tie) => Volatile.Read(ref _tied[(int)tie]);

    /// <summary>A tunnel with such a tie has opened, or has ended.</summary>
    internal void CountTied(ClientTie tie, int change) => Interlocked.Add(ref _tied[(int)tie], change);

    internal void Return(LeaseKind kind, bool isShaking)
    {
        if (isShaking) Interlocked.Decrement(ref _handshakes);
        var left = Interlocked.Decrement(ref (kind == LeaseKind.Request ? ref _requests : ref _tunnels));
        if (kind == LeaseKind.Tunnel) _total.Remove();
        Lines?.Of(kind).Freed(this);
        if (left == 0) Volatile.Read(ref _idle)?.Invoke(this);
    }

    internal void ReturnHandshake()
    {
        Interlocked.Decrement(ref _handshakes);
        Lines?.Handshakes.Freed(this);
    }

    private static int? Limit(int most) => most == int.MaxValue ? null : most;

    // While it warms up, a limit is as small a part as its share: those who wait for a place would fill a cold backend otherwise.
    private int Shared(int limit) => !IsWarming || limit == int.MaxValue ? limit : Math.Max(1, (int)((long)limit * _share / WholeShare));

    // Handshakes are counted with or without a limit, so that one may be set at any time. The process-wide limit comes last: it is the most contended.
    // A caller that is refused tells the line, because what is counted here for a moment may keep others out.
    private LeaseResult TryTakeTunnel(int maxTunnelsInAll)
    {
        var (rate, share) = (_rate, _share);
        if (ActiveTunnels >= _maxTunnels) return LeaseResult.BackendFull;
        if (rate?.HasToken == false || !TunnelTotal.TryAdd(ref _handshakes, Shared(_maxHandshakes))) return LeaseResult.Busy;
        if (rate?.TryTake(share) == false)
        {
            Interlocked.Decrement(ref _handshakes);
            return LeaseResult.Busy;
        }

        var isCounted = TunnelTotal.TryAdd(ref _tunnels, _maxTunnels);
        if (isCounted && _total.TryAdd(maxTunnelsInAll)) return LeaseResult.Granted;
        if (isCounted) Interlocked.Decrement(ref _tunnels);
        Interlocked.Decrement(ref _handshakes);
        rate?.PutBack(share);
        return isCounted ? LeaseResult.AllFull : LeaseResult.BackendFull;
    }
}
