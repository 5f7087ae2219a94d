namespace StickyWs.Backends;

/// <summary>What a lease is for.</summary>
internal enum LeaseKind
{
    /// <summary>A plain HTTP request, until its response was passed on.</summary>
    Request,

    /// <summary>A tunnel, from the choice of its backend (including the handshake) to its end.</summary>
    Tunnel,
}
