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
}
