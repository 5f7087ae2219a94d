namespace StickyWs.Dispatch;

/// <summary>Why a backend was chosen.</summary>
internal enum DecisionReason
{
    /// <summary>The pool's policy chose it.</summary>
    Policy,

    /// <summary>It holds the client's state.</summary>
    Affinity,

    /// <summary>The one that holds the client's state is away, and the client's key leads here.</summary>
    Moved,

    /// <summary>None is healthy, and the pool then uses all (panic mode); the policy chose among them.</summary>
    Panic,

    /// <summary>Traffic had taken it out, and this request tries it.</summary>
    Trial,

    /// <summary>One chosen before could not be reached, or was full.</summary>
    Retry,
}
