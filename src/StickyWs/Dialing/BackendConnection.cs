namespace StickyWs.Dialing;

/// <summary>One upstream connection. Owned by the handshake, then handed over to the tunnel.</summary>
internal abstract class BackendConnection : IDisposable
{
    /// <summary>The connection as a stream.</summary>
    public abstract Stream Stream { get; }

    public abstract void Dispose();
}
