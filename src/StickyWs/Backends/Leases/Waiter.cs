namespace StickyWs.Backends;

/// <summary>One piece of work that waits for a place at a backend. Between entering its line and its end it belongs to the line.</summary>
/// <param name="pool">Its pool: one of its backends will be given.</param>
/// <param name="only">The only backend to wait for; <see langword="null"/> for any that gets new work.</param>
/// <param name="tried">Backends that were tried before.</param>
/// <param name="maxTunnels">The limit of tunnels in the process.</param>
/// <param name="end">Is told when the lease ends.</param>
internal sealed class Waiter(PoolSnapshot pool, Backend? only, IReadOnlyList<Backend> tried, int maxTunnels, ILeaseEnd? end)
    : TaskCompletionSource<WaitEnd>(TaskCreationOptions.RunContinuationsAsynchronously) // The one who frees a place has work of its own.
{
    /// <summary>The pool as it is while it waits, and once a lease is granted, as it was then: its settings fit the backend.</summary>
    public PoolSnapshot Pool { get; private set; } = pool;

    public Backend? Only => only;

    /// <summary>Whether the only backend to wait for has nothing of the client's yet, so that a backend without new work is not waited for.</summary>
    public bool IsNewWork { get; init; }

    /// <summary>Its line, once it has entered.</summary>
    public WaitLine? Line { get; set; }

    /// <summary>Its number in the line; guarded by the line's lock.</summary>
    public long Number { get; set; }

    /// <summary>When it has waited for too long, as <see cref="TimeProvider.GetTimestamp"/> has it; guarded by the line's lock.</summary>
    public long Deadline { get; set; }

    /// <summary>Its place in the line's lists while it waits; guarded by the line's lock.</summary>
    public LinkedListNode<Waiter>? Place { get; set; }

    /// <summary>The lease, once it is granted.</summary>
    public Lease Lease { get; private set; }

    /// <summary>Takes over a change of the pool, unless that has lost the only backend, or its backends are reached in another way.</summary>
    public void Follow(PoolSnapshot? current)
    {
        if (current?.IsReachedLike(Pool) == true && (only is null || current.Backends.Contains(only))) Pool = current;
    }

    /// <summary>Whether a backend that gets new work will do. Not asked of one that waits for a certain backend.</summary>
    public bool Accepts(Backend backend) => Pool.Backends.Contains(backend) && !tried.Contains(backend);

    /// <summary>Whether another one, that waits for any backend as well, accepts the same ones.</summary>
    public bool WaitsLike(Waiter other) => ReferenceEquals(Pool, other.Pool) && HasTried(other) && other.HasTried(this);

    /// <summary>Whether nothing that it waits for can be expected any more.</summary>
    public bool IsStranded() => only is null ? !CanHave(static (_, _) => true) : !only.IsEligible && (IsNewWork || IsLost(only));

    /// <summary>Whether its pool has more backends for it than the one that it waits for.</summary>
    public bool HasOtherBackends() => CanHave(static (backend, only) => backend != only);

    /// <summary>Whether one of the backends that it waits for has not all the tunnels that it may have.</summary>
    public bool MayGetTunnel(LeaseKind kind)
        => kind == LeaseKind.Request || CanHave(static (backend, _) => !backend.IsFull(LeaseKind.Tunnel));

    /// <summary>Takes a place if the backend has one.</summary>
    public LeaseResult TryLease(Backend backend, LeaseKind kind)
    {
        var result = backend.TryLease(kind, maxTunnels, out var lease, end);
        if (result == LeaseResult.Granted) Lease = lease;
        return result;
    }

    private bool CanHave(Func<Backend, Backend?, bool> isWanted)
    {
        foreach (var backend in Pool.Backends)
        {
            if (backend.IsEligible && Accepts(backend) && isWanted(backend, only)) return true;
        }

        return false;
    }

    private bool HasTried(Waiter other)
    {
        foreach (var backend in other.Tried)
        {
            if (!tried.Contains(backend)) return false;
        }

        return true;
    }

    private IReadOnlyList<Backend> Tried => tried;

    // Of a backend that is handed off, or down, nothing comes back for its clients. One that is merely suspected is better tried.
    private static bool IsLost(Backend backend) => backend.IsHandedOff || backend is { IsSuspended: false, Health: BackendState.Unhealthy };
}
