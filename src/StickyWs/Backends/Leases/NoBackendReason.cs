namespace StickyWs.Backends;

/// <summary>Why a piece of work got no backend.</summary>
internal enum NoBackendReason
{
    /// <summary>It got one.</summary>
    None,

    /// <summary>No backend of the pool may get new work.</summary>
    NoneEligible,

    /// <summary>Every backend that may get new work was tried.</summary>
    AllTried,

    /// <summary>A tunnel limit is reached, of every backend or of the process.</summary>
    Full,

    /// <summary>The backend that holds the client's state is away, and the client waits for it (<c>HoldFor</c>).</summary>
    Held,

    /// <summary>The backends that it may go to have all the handshakes or requests that they take at a time: it can wait for a place.</summary>
    Busy,

    /// <summary>The same, and as many wait already as may (<c>Queue:Length</c>).</summary>
    QueueFull,

    /// <summary>It has waited for a place for as long as it may (<c>Queue:Timeout</c>).</summary>
    QueueTimedOut,

    /// <summary>The host stopped while it waited for a place.</summary>
    QueueClosed,
}
