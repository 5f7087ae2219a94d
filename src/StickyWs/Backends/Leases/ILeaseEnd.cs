namespace StickyWs.Backends;

/// <summary>
/// Is notified when a lease of a backend ends, so that what is remembered of a client lives as long as its tunnel; and knows what ties the client to it.
/// </summary>
internal interface ILeaseEnd
{
    /// <summary>What leads the client to this backend again. From any thread.</summary>
    ClientTie Tie => ClientTie.None;

    /// <summary>The client's pin, as its backend is told it: never a token, but a random number or a hash; 0 for none. From any thread.</summary>
    UInt128 Pin => default;

    /// <summary>A tunnel has opened. Called at most once, before the end; must be quick and must not throw.</summary>
    void TunnelOpened()
    {
    }

    /// <summary>Called once, on any thread; must be quick and must not throw.</summary>
    void LeaseEnded(Backend backend);

    /// <summary>The client is told to go elsewhere: a pin that leads to this backend does not count when it comes back, once. From any thread.</summary>
    void Release(Backend backend)
    {
    }
}

/// <summary>What leads a client to its backend again.</summary>
internal enum ClientTie
{
    /// <summary>Nothing: the pool's policy decides.</summary>
    None,

    /// <summary>A cookie or a learnt pin: its state is there.</summary>
    Pinned,

    /// <summary>Hashing, which always leads to the same backend.</summary>
    Hashed,
}
