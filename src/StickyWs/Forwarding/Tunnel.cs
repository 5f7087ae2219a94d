using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>
/// One WebSocket after its verified 101: client connection, backend connection, and how it went. It owns both ends and the lease.
/// The first end reason stands.
/// </summary>
internal sealed class Tunnel(ClientLeg client, BackendConnection backend, Lease lease)
{
    private readonly Lock _lock = new();
    private bool _isClosed;
    private int _endReason;

    public BackendConnection BackendConnection => backend;

    public Backend Backend => lease.Backend;

    public string ConnectionId => client.ConnectionId;

    public EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    public long BytesToBackend { get; private set; }

    public long BytesToClient { get; private set; }

    public void CountToBackend(long bytes)
    {
        BytesToBackend += bytes;
        lease.Backend.CountToBackend(bytes);
    }

    public void CountToClient(long bytes)
    {
        BytesToClient += bytes;
        lease.Backend.CountToClient(bytes);
    }

    /// <summary>Notes why the tunnel ends, unless that is known already.</summary>
    public void Note(EndReason reason) => Interlocked.CompareExchange(ref _endReason, (int)reason, (int)EndReason.None);

    /// <summary>Breaks both connections; the relay then comes to its end. Does nothing to a tunnel that is closed: its client may be another's by then.</summary>
    public void Abort(EndReason reason)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            Note(reason);
            client.Abort();
            backend.Abort();
        }
    }

    /// <summary>Gives the backend's connection and the lease back.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
        backend.Dispose();
        lease.Dispose();
    }
}
