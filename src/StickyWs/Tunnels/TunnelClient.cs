using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>What a tunnel has to know of its client besides the bytes.</summary>
internal abstract class TunnelClient
{
    /// <summary>The connection's tuple, for the log; <see langword="null"/> where there is none (in-memory servers, unix sockets).</summary>
    public abstract ConnectionTuple? Tuple { get; }

    /// <summary>The connection's id, for the log.</summary>
    public abstract string ConnectionId { get; }

    /// <summary>Whether the client's TLS ends here.</summary>
    public virtual bool HasTls => false;

    /// <summary>Whether the client is on an in-memory server.</summary>
    public virtual bool IsInMemory => false;

    /// <summary>The client's TCP socket, where it has one of its own and is not itself that socket.</summary>
    public virtual SocketView Socket => default;

    /// <summary>Whether the client is known to have finished (FIN), though what it sent before may not have been read yet, and will be.</summary>
    public virtual bool HasFinished => false;

    /// <summary>Breaks the client's connection so that the client sees it (RST where the transport can).</summary>
    public abstract void Abort();
}
