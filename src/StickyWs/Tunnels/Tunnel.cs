using System.Buffers;
using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// One tunnel after its verified 101: its owner, its byte counts, and why it ended. It owns the lease. The first end reason counts.
/// </summary>
internal abstract class Tunnel(string connectionId, Lease lease, long openedAt)
{
    private int _endReason;

    // States of a CloseWatch; as fields of its type they would take eight bytes each.
    private byte _clientsEnd;
    private byte _backendsEnd;
    private bool _isOpaque;

    public Backend Backend => lease.Backend;

    public string ConnectionId => connectionId;

    /// <summary>Its lane, one of <see cref="LaneNames"/>.</summary>
    public abstract string Lane { get; }

    /// <summary>Whether its client is on an in-memory server, as in a test; it is not drained at shutdown.</summary>
    public virtual bool IsInMemory => false;

    /// <summary>The client's connection tuple, if it has one.</summary>
    public abstract ConnectionTuple? Tuple { get; }

    /// <summary>Asks for the tuple of the connection to the backend; <see langword="null"/> once that is closed.</summary>
    public abstract ValueTask<ConnectionTuple?> ReadBackendTupleAsync();

    /// <summary>When it opened, as <see cref="TimeProvider.GetTimestamp"/> has it.</summary>
    public long OpenedAt => openedAt;

    /// <summary>The reactor on whose thread <see cref="ReadIdle"/> is called; <see langword="null"/> for any thread.</summary>
    public virtual Reactor? Reactor => null;

    /// <summary>For how many milliseconds no byte has moved, within a second or so.</summary>
    public virtual long ReadIdle() => 0;

    public EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    public long BytesToBackend { get; private set; }

    public long BytesToClient { get; private set; }

    /// <summary>Which sides ended with a Close frame, one of <see cref="Observability.Farewell"/>.</summary>
    public string Farewell => Observability.Farewell.Of(new CloseWatch(_clientsEnd).HasSeen, new CloseWatch(_backendsEnd).HasSeen);

    /// <summary>Counts what the backend sent together with its 101; the client has it already.</summary>
    /// <param name="early">The number of bytes.</param>
    /// <param name="end">Whether they end with a Close frame.</param>
    /// <param name="isOpaque">Whether its bytes are encrypted: they are not looked at then.</param>
    public void Begin(int early, CloseWatch end, bool isOpaque)
    {
        CountToClient(early);
        _isOpaque = isOpaque;
        if (isOpaque) _clientsEnd = CloseWatch.AfterUnseen;
        else _backendsEnd = end.State;
    }

    public void CountToBackend(ReadOnlySpan<byte> piece)
    {
        AddToBackend(piece.Length);
        if (!_isOpaque) _clientsEnd = CloseWatch.After(_clientsEnd, piece, isMasked: true);
    }

    public void CountToBackend(in ReadOnlySequence<byte> piece)
    {
        AddToBackend(piece.Length);
        if (!_isOpaque) _clientsEnd = CloseWatch.After(_clientsEnd, piece, isMasked: true);
    }

    public void CountToClient(ReadOnlySpan<byte> piece)
    {
        AddToClient(piece.Length);
        if (!_isOpaque) _backendsEnd = CloseWatch.After(_backendsEnd, piece, isMasked: false);
    }

    /// <summary>Counts bytes that passed unseen.</summary>
    public void CountToBackend(long bytes)
    {
        AddToBackend(bytes);
        _clientsEnd = CloseWatch.AfterUnseen;
    }

    /// <inheritdoc cref="CountToBackend(long)"/>
    public void CountToClient(long bytes)
    {
        AddToClient(bytes);
        _backendsEnd = CloseWatch.AfterUnseen;
    }

    /// <summary>Notes why the tunnel ends, unless a reason is already known.</summary>
    public void Note(EndReason reason) => Interlocked.CompareExchange(ref _endReason, (int)reason, (int)EndReason.None);

    /// <summary>Notes that it was idle for too long. This overrides an earlier half-close (FIN), which is not what ended it.</summary>
    public void NoteOverdue()
    {
        Note(EndReason.IdleTimeout);
        Interlocked.CompareExchange(ref _endReason, (int)EndReason.IdleTimeout, (int)EndReason.ClientClosed);
        Interlocked.CompareExchange(ref _endReason, (int)EndReason.IdleTimeout, (int)EndReason.BackendClosed);
    }

    /// <summary>
    /// Whether it was idle for longer than its options allow. Called periodically on one thread. A reactor checks its own tunnels.
    /// </summary>
    public virtual bool IsOverdue() => false;

    /// <summary>Aborts both connections, from any thread; the tunnel then ends. Does nothing after its end.</summary>
    public abstract void Abort(EndReason reason);

    /// <summary>Ends the tunnel with a word to both sides, from any thread. Does nothing after its end, or if it was told already.</summary>
    public virtual void Say(Goodbye goodbye) => Abort(goodbye.End);

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
