namespace StickyWs.Backends;

/// <summary>How the wait for a place ended.</summary>
internal enum WaitEnd
{
    /// <summary>With a lease.</summary>
    Granted,

    /// <summary>At once: as many wait already as may.</summary>
    Full,

    /// <summary>At once: as many wait already for this backend as may wait for one of several.</summary>
    FullForBackend,

    /// <summary>The only backend that it waited for has all the tunnels that it may have.</summary>
    BackendFull,

    /// <summary>All that it waited for have all the tunnels that they may have, or the process has.</summary>
    NoTunnel,

    /// <summary>The longest time for it has passed.</summary>
    TimedOut,

    /// <summary>The host stops.</summary>
    Closed,

    /// <summary>Nothing can be expected any more of any backend that it waited for: it is out, drained or removed.</summary>
    Stranded,

    /// <summary>The client left, or the caller gave up.</summary>
    Left,
}
