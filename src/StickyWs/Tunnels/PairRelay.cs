using System.Runtime.CompilerServices;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

/// <summary>
/// Moves the bytes of pairs of sockets, exactly and in order, on its reactor's thread. A direction receives only while the other side takes, so a
/// stalled reader stops the sender, and at most one piece is held for it. A FIN is passed on as a FIN, a broken connection as a reset.
/// </summary>
internal sealed partial class PairRelay : IStreamHandler, IResident
{
    private static readonly ConditionalWeakTable<Reactor, PairRelay> Relays = [];

    private readonly Reactor _reactor;
    private readonly Slab<Pair> _pairs = new();

    private PairRelay(Reactor reactor)
    {
        _reactor = reactor;
        reactor.Admit(this);
    }

    /// <summary>The relay of a reactor.</summary>
    public static PairRelay Of(Reactor reactor) => Relays.GetValue(reactor, static reactor => new PairRelay(reactor));

    /// <summary>The number of pairs. Call on the reactor's thread, or while it is known to be idle.</summary>
    public int Pairs => _pairs.Count;

    /// <summary>Takes over two watched sockets, the TLS ends that they have, and what came early of a client without one. On the reactor's thread.</summary>
    /// <returns>The pair's number, valid until its owner is told that it ended; <see cref="Pair.Gone"/> if it has already.</returns>
    public int Join(
        WatchedSocket client, WatchedSocket backend, IPairOwner owner, PairLimits limits,
        TlsStart? clientTls = null, TlsStart? backendTls = null, ReadOnlyMemory<byte> early = default)
    {
        var number = _pairs.Take();
        ref var pair = ref _pairs[number];
        pair = new Pair
        {
            Owner = owner,
            Client = new PairSide { Socket = client.Number, Tls = clientTls?.End },
            Backend = new PairSide { Socket = backend.Number, Tls = backendTls?.End },
            LastActive = _reactor.Now,
            IdleLimit = Milliseconds(limits.Idle),
            HalfClosedLimit = Milliseconds(limits.HalfClosed),
            DeadPeerLimit = Milliseconds(limits.DeadPeer),
            Watch = limits.Watch,
        };
        pair.Watch?.Begin(_reactor.Now);
        if (pair.IsLimited) Oversee(pair.Limit);
        if (pair.Watch is { } begun) Tighten(begun.Shortest);
        if (pair.HasTls && _withTls++ == 0) _nextPartLook = _reactor.Now + PartInterval;
        try
        {
            _reactor.BeginStream(client.Number, this, number << 1, client.IsDrained);
            _reactor.BeginStream(backend.Number, this, (number << 1) | 1, backend.IsDrained);
            BeginClient(client.Number, clientTls, early.Span);
            if (backendTls is { } fromBackend && pair.Owner == owner) BeginTls(backend.Number, fromBackend.Plain.Span);
            return pair.Owner == owner ? number : Pair.Gone;
        }
        catch
        {
            Note(ref pair, EndReason.Failed);
            End(number, isReset: true);
            throw;
        }
    }

    /// <summary>The addresses of a pair's connection to its backend: its own, and the backend's.</summary>
    public (RawAddress? Local, RawAddress? Remote) AddressesToBackend(int number)
    {
        ref var backend = ref _pairs[number].Backend;
        return backend.IsGone ? default : (_reactor.LocalAddress(backend.Socket), _reactor.RemoteAddress(backend.Socket));
    }

    /// <summary>For how many milliseconds no byte of a pair has moved.</summary>
    public long IdleOf(int number) => _reactor.Now - _pairs[number].LastActive;

    /// <summary>When a byte of a pair last moved, on the reactor's clock.</summary>
    public long LastActiveOf(int number) => _pairs[number].LastActive;

    /// <summary>Breaks both connections of a pair; its owner knows why, and is told that it has ended.</summary>
    public void Abort(int number) => End(number, isReset: true);

    public void Received(int socket, in Piece piece)
    {
        ref var pair = ref Find(socket, out var isClient);
        var other = pair.Of(!isClient).Socket;
        // Read and drop: unread bytes would turn the close into a reset.
        if (pair.IsDraining || pair.Of(isClient).IsOver) return;
        var isDropped = pair.Word is null && _reactor.IsDeaf(other);
        var watch = pair.Watch;
        watch?.Of(isClient).Hear(_reactor.Now);
        if (!isDropped && watch is null) pair.LastActive = _reactor.Now;
        if (pair.HasTls)
        {
            if (piece.ComesInBulk) _reactor.ReceiveInBulk(socket); // Records are 16 KiB: whole ones need no copy.
            Translate(socket, ref pair, isClient, piece.Bytes);
            return;
        }

        if (watch is not null && IsScreened(ref pair, watch, isClient, piece.Bytes.Length))
        {
            var isOver = !TryPassScreened(socket, ref pair, watch, isClient, piece.Bytes) || pair.Word is not null;
            if (!isOver && piece.ComesInBulk) _reactor.Splice(socket, other, pair.Owner!.Frames(isClient).Unseen);
            return;
        }

        if (isDropped)
        {
            pair.Owner!.Frames(isClient).Follow(piece.Bytes);
            return;
        }

        if (pair.Word is not null)
        {
            PassLast(socket, ref pair, isClient, piece.Bytes);
            return;
        }

        CountPassed(ref pair, isClient, piece.Bytes);
        if (watch is not null) NotePassed(ref pair, watch, isClient);
        if (!_reactor.Forward(other, piece) && !_reactor.IsDeaf(other)) Fill(socket, ref pair.Of(!isClient));
        if (piece.ComesInBulk) _reactor.Splice(socket, other, pair.Owner!.Frames(isClient).Unseen);
    }

    public void Spliced(int socket, int count)
    {
        ref var pair = ref Find(socket, out var isClient);
        pair.LastActive = _reactor.Now;
        _reactor.NoteMoved();
        if (isClient) pair.Owner!.CountToBackend(count);
        else pair.Owner!.CountToClient(count);
        pair.Watch?.Of(isClient).Hear(_reactor.Now);
        pair.Watch?.Of(isClient).Speak(_reactor.Now);
        if (pair.IsLeaving) Advance(_reactor.Place(socket) >> 1);
    }

    public void Stalled(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        ref var side = ref pair.Of(isClient);
        side.IsFull = true;
        ref var other = ref pair.Of(!isClient);
        if (!other.IsGone && !side.IsTold) _reactor.Pause(other.Socket);
    }

    public void Sent(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        pair.LastActive = _reactor.Now;
        ref var side = ref pair.Of(isClient);
        ref var other = ref pair.Of(!isClient);
        if (side.IsFull) NoteRoom(ref pair, isClient);
        var wasFlooded = side.Replies > MostReplies;
        (side.IsFull, side.Replies) = (false, 0);
        if (!other.IsGone && other.Replies <= MostReplies) _reactor.Resume(other.Socket);
        if (wasFlooded && !other.IsFull) _reactor.Resume(socket);
        if (pair.IsLeaving) Advance(_reactor.Place(socket) >> 1);
    }

    public void Finished(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        if (pair.IsDraining)
        {
            if (pair.Word is not null) NoteFinished(ref pair, ref pair.Of(isClient));
            if (pair.Word is not null && !pair.HasEnded) return;
            // If one side is gone already, the other has all and ends in order, whatever the first did.
            var isReset = pair is { EndsByReset: true, Client.IsGone: false, Backend.IsGone: false };
            if (Undelivered(ref pair) == 0) End(_reactor.Place(socket) >> 1, isReset);
            return;
        }

        ref var side = ref pair.Of(isClient);
        if (side.HasFinished) return; // The kernel reports a known end again together with other events.
        pair.Watch?.Of(isClient).Hear(_reactor.Now);
        if (!TryPassHeld(socket, ref pair, isClient)) return;
        Note(ref pair, ReasonOfEnd(side.Tls, isClient));
        if (pair.Word is not null)
        {
            NoteFinished(ref pair, ref side);
            Advance(_reactor.Place(socket) >> 1);
            return;
        }

        SayCloseNotify(ref pair.Of(!isClient));
        if (pair.IsHalfClosed)
        {
            EndInOrder(_reactor.Place(socket) >> 1);
            return;
        }

        NoteFinished(ref pair, ref side);
        _reactor.FinishSending(pair.Of(!isClient).Socket);
    }

    public void Broken(int socket, Errno error)
    {
        ref var pair = ref Find(socket, out var isClient);
        if (!isClient && !TryPassHeld(socket, ref pair, isClient)) return;
        var isLost = error is Errno.ETIMEDOUT or Errno.EHOSTUNREACH or Errno.ENETUNREACH;
        Note(ref pair, (isClient, isLost) switch
        {
            (true, false) => EndReason.ClientReset,
            (true, true) => EndReason.ClientLost,
            (false, false) => EndReason.BackendReset,
            (false, true) => EndReason.BackendLost,
        });
        if (pair.IsLeaving && LeavesAlone(ref pair, isClient))
        {
            Advance(_reactor.Place(socket) >> 1);
            return;
        }

        var hasFinished = pair.Of(isClient).HasFinished;
        if (pair.IsDraining && DrainsAlone(ref pair, isClient)) return;
        if (pair.IsDraining || (isClient && !hasFinished)) End(_reactor.Place(socket) >> 1, isReset: true);
        else Drain(_reactor.Place(socket) >> 1, isClient, isReset: !hasFinished);
    }

    // The backend is stalled and its client's connection broke: what the client left is worth nothing without the client. But what a backend sent
    // before it broke is still for the client, and what a client sent before an orderly end is still for the backend.
    public void BrokenWhilePaused(int socket)
    {
        Find(socket, out var isClient);
        if (isClient && !_reactor.HadFinished(socket)) Broken(socket, Errno.ECONNRESET);
    }

    /// <summary>Ends a socket's pair because of a defect.</summary>
    public void Fail(int socket)
    {
        ref var pair = ref Find(socket, out _);
        Note(ref pair, EndReason.Failed);
        End(_reactor.Place(socket) >> 1, isReset: true);
    }

    /// <summary>Resets all pairs.</summary>
    public void End(EndReason reason)
    {
        for (var number = 0; number < _pairs.End; number++)
        {
            ref var pair = ref _pairs[number];
            if (pair.Owner is null) continue;
            Note(ref pair, reason);
            End(number, isReset: true);
        }
    }

    // The side takes no more for now, so nothing more is received for it.
    private void Fill(int source, ref PairSide side)
    {
        side.IsFull = true;
        _reactor.Pause(source);
    }

    private ref Pair Find(int socket, out bool isClient)
    {
        var place = _reactor.Place(socket);
        isClient = (place & 1) == 0;
        return ref _pairs[place >> 1];
    }

    private static void Note(ref Pair pair, EndReason reason)
    {
        if (pair.Reason == EndReason.None) pair.Reason = reason;
    }

    private void End(int number, bool isReset)
    {
        var pair = _pairs[number];
        if (pair.Owner is null) return; // It has ended.
        _pairs[number] = default;
        _pairs.Return(number);
        if (pair.IsLimited) _limited--;
        if (pair.HasTls) _withTls--;
        if (pair.IsDraining) _draining.Remove(number);
        if (pair.IsLeaving) _leaving.Remove(number);
        End(ref pair.Client, isReset);
        End(ref pair.Backend, isReset);
        try
        {
            pair.Owner!.Ended(pair.Reason);
        }
#pragma warning disable CA1031 // The application's logger or meter listener: the reactor goes on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _reactor.Failed(e);
        }
    }

    private void End(ref PairSide side, bool isReset)
    {
        side.Tls?.Dispose();
        if (!side.IsGone) _reactor.Close(side.Socket, isReset);
    }
}
