using System.Buffers;
using System.Net;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Frames;
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
    private volatile bool _wasTold;
    private ushort _ownCloseCode;
    private volatile TunnelLook? _lastLook;
    private ClientTie _countedTie; // A key may be learnt later.
    private IPAddress? _client; // Where it is not that of the connection: few need the memory.

    // Until it begins, no byte is followed.
    private FrameCursor _fromClient = FrameCursor.None;
    private FrameCursor _fromBackend = FrameCursor.None;

    public Backend Backend => lease.Backend;

    public string ConnectionId => connectionId;

    /// <summary>Its lane, one of <see cref="LaneNames"/>.</summary>
    public abstract string Lane { get; }

    /// <summary>Whether the client's TLS ends here.</summary>
    public virtual bool HasClientTls => false;

    /// <summary>Whether the TLS to the backend begins here.</summary>
    public virtual bool HasBackendTls => false;

    /// <summary>Whether its client is on an in-memory server, as in a test; it is not drained at shutdown.</summary>
    public virtual bool IsInMemory => false;

    /// <summary>The client's connection tuple, if it has one.</summary>
    public abstract ConnectionTuple? Tuple { get; }

    /// <summary>Asks for the tuple of the connection to the backend; <see langword="null"/> once that is closed.</summary>
    public abstract ValueTask<ConnectionTuple?> ReadBackendTupleAsync();

    /// <summary>By what its end is told of; <see langword="null"/> if nobody wants to know.</summary>
    public TunnelRecord? Record { get; init; }

    /// <summary>When it opened, as <see cref="TimeProvider.GetTimestamp"/> has it.</summary>
    public long OpenedAt => openedAt;

    /// <summary>The reactor on whose thread <see cref="ReadIdle"/> is called; <see langword="null"/> for any thread.</summary>
    public virtual Reactor? Reactor => null;

    /// <summary>For how many milliseconds no byte has moved, within a second or so.</summary>
    public virtual long ReadIdle() => 0;

    /// <summary>When a byte last moved, within a second or so; read as <see cref="ReadIdle"/> is.</summary>
    /// <param name="now">The moment, in milliseconds of the clock.</param>
    public virtual long ReadLastActive(long now) => now - ReadIdle();

    /// <summary>Whether it was told to go because of its age. Written by the sweep.</summary>
    public bool IsTooOld { get; set; }

    /// <summary>Whether it was told to go, with many others; nobody tells it again. Written by who tells it.</summary>
    public bool WasTold
    {
        get => _wasTold;
        set => _wasTold = value;
    }

    /// <summary>The last look at what it carries; <see langword="null"/> while nobody looks. From any thread.</summary>
    public TunnelLook? LastLook
    {
        get => _lastLook;
        set => _lastLook = value;
    }

    /// <summary>The client's address, as far as it can be trusted; behind trusted proxies it is not that of <see cref="Tuple"/>.</summary>
    public IPAddress? ClientAddress => _client ?? Tuple?.SourceAddress;

    /// <summary>What leads the client to this backend again.</summary>
    public ClientTie Tie => lease.Tie;

    /// <summary>The client's pin, as the backend is told it; 0 for none.</summary>
    public UInt128 Pin => lease.Pin;

    /// <summary>Whether it is followed frame by frame. From any thread; it may have changed by the time this returns.</summary>
    public bool HasFrames => !_fromClient.IsLost && !_fromBackend.IsLost;

    /// <summary>Whether it is between two frames in both directions. On the thread of <see cref="Reactor"/>; otherwise it may have changed.</summary>
    public bool IsBetweenFrames => _fromClient.IsBetweenFrames && _fromBackend.IsBetweenFrames;

    public EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    public long BytesToBackend { get; private set; }

    public long BytesToClient { get; private set; }

    /// <summary>Which sides ended with a Close frame, one of <see cref="Observability.Farewell"/>.</summary>
    public string Farewell => Observability.Farewell.Of(_fromClient.HasSaidClose, _fromBackend.HasSaidClose);

    /// <summary>The status code of the client's Close frame; 0 if it sent none that was seen (<see cref="FrameCursor.CloseCode"/>).</summary>
    public int ClientCloseCode => _fromClient.CloseCode;

    /// <summary>The same of the backend.</summary>
    public int BackendCloseCode => _fromBackend.CloseCode;

    /// <summary>
    /// The status code of the balancer's own Close frame, with which both sides are told to go; 0 if none are, or if its frames are not followed.
    /// </summary>
    public int OwnCloseCode => _ownCloseCode;

    /// <summary>Where a side is in its frames. On the thread that counts this side's bytes.</summary>
    public ref FrameCursor Frames(bool ofClient)
    {
        if (ofClient) return ref _fromClient;
        return ref _fromBackend;
    }

    /// <summary>Counts what the backend sent together with its 101; the client has it already.</summary>
    /// <param name="early">The number of bytes.</param>
    /// <param name="frames">Where the backend's frames are after them.</param>
    /// <param name="hasFrames">Whether the tunnel is followed frame by frame.</param>
    /// <param name="client">The client's address, as far as it can be trusted.</param>
    public void Begin(int early, FrameCursor frames, bool hasFrames, IPAddress? client = null)
    {
        if (client?.Equals(Tuple?.SourceAddress) == false) _client = client;
        AddToClient(early);
        frames.TakePing(); // What came with the 101 was sent before anybody watched: its answer may have come already.
        if (hasFrames) (_fromClient, _fromBackend) = (FrameCursor.OfClient, frames);
    }

    public void CountToBackend(ReadOnlySpan<byte> piece)
    {
        AddToBackend(piece.Length);
        _fromClient.Follow(piece);
    }

    public void CountToBackend(in ReadOnlySequence<byte> piece)
    {
        AddToBackend(piece.Length);
        _fromClient.Follow(piece);
    }

    public void CountToClient(ReadOnlySpan<byte> piece)
    {
        AddToClient(piece.Length);
        _fromBackend.Follow(piece);
    }

    /// <summary>Counts bytes that passed unseen, within one payload.</summary>
    public void CountToBackend(long bytes)
    {
        AddToBackend(bytes);
        _fromClient.Skip(bytes);
    }

    /// <inheritdoc cref="CountToBackend(long)"/>
    public void CountToClient(long bytes)
    {
        AddToClient(bytes);
        _fromBackend.Skip(bytes);
    }

    /// <summary>Notes why the tunnel ends, unless a reason is already known.</summary>
    public void Note(EndReason reason) => Interlocked.CompareExchange(ref _endReason, (int)reason, (int)EndReason.None);

    /// <summary>Notes that it was idle for too long. This overrides an earlier half-close (FIN), which is not what ended it.</summary>
    public void NoteOverdue() => NoteInstead(EndReason.IdleTimeout);

    /// <summary>Notes that a goodbye ends it. This overrides an earlier half-close, too.</summary>
    protected void Note(Goodbye goodbye)
    {
        NoteWord(goodbye);
        NoteInstead(goodbye.End);
    }

    /// <summary>Notes with which word both sides are told to go.</summary>
    public void NoteWord(Goodbye word)
    {
        if (HasFrames) _ownCloseCode = word.Code;
    }

    /// <summary>Notes that it is aborted. What cuts it off while a goodbye waits is what ended it.</summary>
    protected void NoteAbort(EndReason reason)
    {
        Note(reason);
        if (reason is not (EndReason.Cut or EndReason.Shutdown)) return;
        var noted = EndReason;
        if (IsGoodbye(noted)) Interlocked.CompareExchange(ref _endReason, (int)reason, (int)noted);
    }

    private static bool IsGoodbye(EndReason reason) => reason is EndReason.HandedOff or EndReason.MaxAge or EndReason.Rebalanced or EndReason.BackendDown
        or EndReason.ClientIdleTimeout or EndReason.BackendIdleTimeout or EndReason.ClientPingTimeout or EndReason.BackendPingTimeout;

    private void NoteInstead(EndReason reason)
    {
        Note(reason);
        Interlocked.CompareExchange(ref _endReason, (int)reason, (int)EndReason.ClientClosed);
        Interlocked.CompareExchange(ref _endReason, (int)reason, (int)EndReason.BackendClosed);
    }

    /// <summary>
    /// Whether it was idle for longer than its options allow, or its goodbye waits for a peer too long. Called periodically on one thread. A reactor
    /// checks its own tunnels.
    /// </summary>
    public virtual bool IsOverdue() => false;

    /// <summary>
    /// Whether its sides are watched apart, so that <see cref="LookAtPeers"/> is called periodically on one thread. A reactor looks at its own tunnels.
    /// </summary>
    public virtual bool IsWatched => false;

    /// <summary>Asks a side for a sign of life, or ends the tunnel, if a side was silent for too long.</summary>
    /// <param name="isLate">Whether the last look was so long ago that the process must have stood still: what the sides sent may not have been read.</param>
    public virtual void LookAtPeers(bool isLate)
    {
    }

    /// <summary>Ends it because it is overdue, or goes on with its goodbye.</summary>
    public virtual void EndOverdue() => Abort(EndReason.IdleTimeout);

    /// <summary>Aborts both connections, from any thread; the tunnel then ends. Does nothing after its end.</summary>
    public abstract void Abort(EndReason reason);

    /// <summary>
    /// Ends the tunnel with a word to both sides, from any thread: a Close frame at the next border of frames, or, where frames are not followed, an
    /// orderly end of both connections. Does nothing after the tunnel's end, while it drains, or if it was told already.
    /// </summary>
    public virtual void Say(Goodbye goodbye) => Abort(goodbye.End);

    /// <summary>Lets its client go elsewhere when it comes back.</summary>
    public void Release() => lease.Release();

    /// <summary>It has opened.</summary>
    public void NoteOpened()
    {
        _countedTie = Tie;
        if (_countedTie != ClientTie.None) Backend.CountTied(_countedTie, 1);
        lease.TunnelOpened();
    }

    /// <summary>Gives its lease back, after <see cref="NoteOpened"/>.</summary>
    public void ReturnLease()
    {
        if (_countedTie != ClientTie.None) Backend.CountTied(_countedTie, -1);
        lease.Dispose();
    }

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
