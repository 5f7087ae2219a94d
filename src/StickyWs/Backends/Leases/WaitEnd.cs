namespace StickyWs.Backends;

/// <summary>How the wait for a place ended.</summary>
internal enum WaitEnd
{
    /// <summary>With a lease.</summary>
    Granted,

    /// <summary>At once: as many wait already as may.</summary>
    Full,

    /// <summary>The longest time for it has passed.</summary>
    TimedOut,

    /// <summary>The host stops.</summary>
    Closed,

    /// <summary>None of the backends that it waited for gets new work any more.</summary>
    Stranded,

    /// <summary>The client left, or the caller gave up.</summary>
    Left,
}
