namespace StickyWs.Dispatch;

/// <summary>Why a backend was chosen.</summary>
internal enum DecisionReason
{
    /// <summary>The pool's policy chose it.</summary>
    Policy,

    /// <summary>It holds the client's state.</summary>
    Affinity,

    /// <summary>The backend that holds the client's state is away, and the client's key leads here.</summary>
    Moved,

    /// <summary>No backend is healthy, so the pool uses all (panic mode); the policy chose among them.</summary>
    Panic,

    /// <summary>It was suspended because of traffic, and this request tries it.</summary>
    Trial,

    /// <summary>An earlier choice could not be reached, or was full.</summary>
    Retry,
}
