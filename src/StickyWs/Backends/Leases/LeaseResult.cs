namespace StickyWs.Backends;

/// <summary>Whether a backend could be leased, or which limit prevented it.</summary>
internal enum LeaseResult
{
    Granted,

    /// <summary>It has all the tunnels that it may have.</summary>
    BackendFull,

    /// <summary>The process has all the tunnels that it may have.</summary>
    AllFull,

    /// <summary>It has all the handshakes or requests in progress that it may have: a place will be free soon.</summary>
    Busy,
}
