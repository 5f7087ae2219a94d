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
    public PoolSnapshot Pool => pool;

    public Backend? Only => only;

    /// <summary>Its number in the line; guarded by the line's lock.</summary>
    public long Number { get; set; }

    /// <summary>Its place in the line's lists while it waits; guarded by the line's lock.</summary>
    public LinkedListNode<Waiter>? Place { get; set; }

    /// <summary>The lease, once it is granted.</summary>
    public Lease Lease { get; private set; }

    /// <summary>Whether a backend that gets new work will do. Not asked of one that waits for a certain backend.</summary>
    public bool Accepts(Backend backend) => pool.Backends.Contains(backend) && !tried.Contains(backend);

    /// <summary>Whether nothing that it waits for can be expected any more.</summary>
    public bool IsStranded()
    {
        if (only is not null) return only is { IsEligible: false, IsSuspended: false, Health: BackendState.Unhealthy };
        foreach (var backend in pool.Backends)
        {
            if (backend.IsEligible && Accepts(backend)) return false;
        }

        return true;
    }

    /// <summary>Takes a place if the backend has one.</summary>
    public LeaseResult TryLease(Backend backend, LeaseKind kind)
    {
        var result = backend.TryLease(kind, maxTunnels, out var lease, end);
        if (result == LeaseResult.Granted) Lease = lease;
        return result;
    }
}
