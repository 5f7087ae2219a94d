using System.Buffers;
using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// One WebSocket after its verified 101: whose it is, how much went through it, and why it ended. It owns the lease. The first end reason stands.
/// </summary>
internal abstract class Tunnel(string connectionId, Lease lease, long openedAt)
{
    private int _endReason;
    private CloseWatch _clientsEnd;
    private CloseWatch _backendsEnd;

    public Backend Backend => lease.Backend;

    public string ConnectionId => connectionId;

    /// <summary>The lane that it takes, one of <see cref="LaneNames"/>.</summary>
    public abstract string Lane { get; }

    /// <summary>Whether its client is on an in-memory server, and so within a test: nothing to drain.</summary>
    public virtual bool IsInMemory => false;

    /// <summary>The client's connection, where it has a tuple.</summary>
    public abstract ConnectionTuple? Tuple { get; }

    /// <summary>Asks for the tuple of the connection to the backend; <see langword="null"/> once that is closed.</summary>
    public abstract ValueTask<ConnectionTuple?> ReadBackendTupleAsync();

    /// <summary>When it opened, as <see cref="TimeProvider.GetTimestamp"/> has it.</summary>
    public long OpenedAt => openedAt;

    public EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    public long BytesToBackend { get; private set; }

    public long BytesToClient { get; private set; }

    /// <summary>Which sides ended with a Close frame, one of <see cref="Observability.Farewell"/>.</summary>
    public string Farewell => Observability.Farewell.Of(_clientsEnd.HasSeen, _backendsEnd.HasSeen);

    /// <summary>Counts what the backend sent right behind its 101, which the client has.</summary>
    /// <param name="behind">How many bytes.</param>
    /// <param name="end">Whether they end with a Close.</param>
    public void Begin(int behind, CloseWatch end)
    {
        CountToClient(behind);
        _backendsEnd = end;
    }

    public void CountToBackend(ReadOnlySpan<byte> piece)
    {
        AddToBackend(piece.Length);
        _clientsEnd.Look(piece, isMasked: true);
    }

    public void CountToBackend(in ReadOnlySequence<byte> piece)
    {
        AddToBackend(piece.Length);
        _clientsEnd.Look(piece, isMasked: true);
    }

    public void CountToClient(ReadOnlySpan<byte> piece)
    {
        AddToClient(piece.Length);
        _backendsEnd.Look(piece, isMasked: false);
    }

    /// <summary>Counts bytes that nobody saw.</summary>
    public void CountToBackend(long bytes)
    {
        AddToBackend(bytes);
        _clientsEnd.Forget();
    }

    /// <inheritdoc cref="CountToBackend(long)"/>
    public void CountToClient(long bytes)
    {
        AddToClient(bytes);
        _backendsEnd.Forget();
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

    /// <summary>Whether it has been still for longer than its options allow; asked once in a while, on one thread. A reactor looks after its own.</summary>
    public virtual bool IsOverdue() => false;

    /// <summary>Breaks both connections, from any thread; the tunnel then ends. Does nothing to one that has ended.</summary>
    public abstract void Abort(EndReason reason);

    public void ReturnLease() => lease.Dispose();

    private void AddToBackend(long bytes)
    {
        BytesToBackend += bytes;
        lease.Backend.CountToBackend(bytes);
    }

    private void AddToClient(long bytes)
    {
        BytesToClient += bytes;
        lease.Backend.CountToClient(bytes);
    }
}
