using StickyWs.Observability;

namespace StickyWs.Reactors;

/// <summary>Whoever handed a pair of sockets over to a relay. Told on the reactor's thread, which must not be held up.</summary>
internal interface IPairOwner
{
    /// <summary>So many bytes went client->backend.</summary>
    void CountToBackend(long bytes);

    /// <summary>So many bytes went backend->client.</summary>
    void CountToClient(long bytes);

    /// <summary>The pair is gone: both sockets are closed. Told once, last.</summary>
    void Ended(EndReason reason);
}
