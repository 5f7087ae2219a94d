using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>Whoever handed a pair of sockets over to a relay. Told on the reactor's thread, which must not be held up.</summary>
internal interface IPairOwner
{
    /// <summary>So many bytes went client->backend, unseen.</summary>
    void CountToBackend(long bytes);

    /// <summary>These bytes went client->backend.</summary>
    void CountToBackend(ReadOnlySpan<byte> piece) => CountToBackend(piece.Length);

    /// <summary>So many bytes went backend->client, unseen.</summary>
    void CountToClient(long bytes);

    /// <summary>These bytes went backend->client.</summary>
    void CountToClient(ReadOnlySpan<byte> piece) => CountToClient(piece.Length);

    /// <summary>The pair is gone: both sockets are closed. Told once, last.</summary>
    void Ended(EndReason reason);
}
