namespace StickyWs.Forwarding;

/// <summary>
/// A client whose TLS is passed through: it has sent a ClientHello, and gets what a backend answers. Exactly one of <see cref="AcceptAsync"/> and
/// <see cref="RefuseAsync"/> is called, once.
/// </summary>
internal interface IOpaqueClient
{
    /// <summary>The length of the ClientHello, with the headers of its records.</summary>
    int HelloLength { get; }

    /// <summary>Copies the ClientHello, which stays where it is.</summary>
    /// <param name="hello">Takes <see cref="HelloLength"/> bytes.</param>
    /// <exception cref="IOException">The connection broke.</exception>
    void CopyHello(Span<byte> hello);

    /// <summary>Drops the ClientHello, which a backend has by now, and sends the first bytes of its answer; from then on the tunnel has the rest.</summary>
    ValueTask AcceptAsync(ReadOnlyMemory<byte> first);

    /// <summary>Sends an alert.</summary>
    ValueTask RefuseAsync(ReadOnlyMemory<byte> alert);
}
