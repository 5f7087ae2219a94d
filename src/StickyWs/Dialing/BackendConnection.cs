using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>One upstream connection. Owned by the handshake, then handed over to the tunnel.</summary>
internal abstract class BackendConnection : IDisposable
{
    /// <summary>The connection as a stream.</summary>
    public abstract Stream Stream { get; }

    /// <summary>Asks for the connection's tuple: our address, and the backend's; <see langword="null"/> if it is closed.</summary>
    public abstract ConnectionTuple? ReadTuple();

    public abstract void Dispose();
}
