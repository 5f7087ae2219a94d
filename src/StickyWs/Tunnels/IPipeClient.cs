using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>What a tunnel of the portable lane has to know of its client besides the bytes.</summary>
internal interface IPipeClient
{
    /// <summary>The connection's tuple, for the log; <see langword="null"/> where there is none (in-memory servers, unix sockets).</summary>
    ConnectionTuple? Tuple { get; }

    /// <summary>The connection's id, for the log.</summary>
    string ConnectionId { get; }

    /// <summary>Whether the client is on an in-memory server.</summary>
    bool IsInMemory { get; }

    /// <summary>The client's TCP socket, where it has one of its own.</summary>
    SocketView Socket { get; }

    /// <summary>Whether the client is known to have finished (FIN), though what it sent before may not have been read yet, and will be.</summary>
    bool HasFinished { get; }

    /// <summary>Breaks the client's connection so that the client sees it (RST where the transport can).</summary>
    void Abort();
}
