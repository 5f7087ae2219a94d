namespace StickyWs.Dialing;

/// <summary>One connection to a backend. Owned by the handshake, then handed over to the tunnel.</summary>
internal abstract class BackendConnection : IDisposable
{
    /// <summary>Where bytes go in and out.</summary>
    public abstract Stream Stream { get; }

    public abstract void Dispose();
}
