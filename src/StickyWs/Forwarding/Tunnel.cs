using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Forwarding;

/// <summary>One WebSocket after its verified 101: whose it is, how much went through it, and why it ended. It owns the lease. The first end reason stands.</summary>
internal abstract class Tunnel(string connectionId, Lease lease, long openedAt)
{
    private int _endReason;

    public Backend Backend => lease.Backend;

    public string ConnectionId => connectionId;

    /// <summary>The client's connection, where it has a tuple.</summary>
    public abstract ConnectionTuple? Tuple { get; }

    /// <summary>When it opened, as <see cref="TimeProvider.GetTimestamp"/> has it.</summary>
    public long OpenedAt => openedAt;

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

    /// <summary>Notes that it has been still for too long: what ends it even where one side has finished (FIN) before.</summary>
    public void NoteOverdue()
    {
        Note(EndReason.IdleTimeout);
        Interlocked.CompareExchange(ref _endReason, (int)EndReason.IdleTimeout, (int)EndReason.ClientClosed);
        Interlocked.CompareExchange(ref _endReason, (int)EndReason.IdleTimeout, (int)EndReason.BackendClosed);
    }

    /// <summary>Breaks both connections, from any thread; the tunnel then ends. Does nothing to one that has ended.</summary>
    public abstract void Abort(EndReason reason);

    public void ReturnLease() => lease.Dispose();
}
