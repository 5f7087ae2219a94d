using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>What a tunnel of the portable lane needs to know about its client besides the bytes.</summary>
internal interface IPipeClient
{
    /// <summary>The connection's tuple, for the log; <see langword="null"/> if there is none (in-memory servers, Unix sockets).</summary>
    ConnectionTuple? Tuple { get; }

    /// <summary>The connection's id, for the log.</summary>
    string ConnectionId { get; }

    /// <summary>Whether the client is on an in-memory server.</summary>
    bool IsInMemory { get; }

    /// <summary>The client's TCP socket, if it has its own.</summary>
    SocketView Socket { get; }

    /// <summary>Whether the client is known to have sent its FIN; earlier bytes may still have to be read.</summary>
    bool HasFinished { get; }

    /// <summary>Aborts the client's connection visibly (with a RST if the transport can).</summary>
    void Abort();
}
