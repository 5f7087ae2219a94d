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
    private static readonly TimeSpan LongestSweep = TimeSpan.FromSeconds(1);

    private readonly Reactor _reactor;
    private readonly Slab<Pair> _pairs = new();
    private int _limited;
    private int _interval = (int)LongestSweep.TotalMilliseconds;
    private long _nextSweep;

    private PairRelay(Reactor reactor)
    {
        _reactor = reactor;
        reactor.Admit(this);
    }

    /// <summary>The relay of a reactor.</summary>
    public static PairRelay Of(Reactor reactor) => Relays.GetValue(reactor, static reactor => new PairRelay(reactor));

    /// <summary>The number of pairs. Call on the reactor's thread, or while it is known to be idle.</summary>
    public int Pairs => _pairs.Count;

    /// <summary>Takes over two watched sockets, and the TLS end on the client's side if there is one. On the reactor's thread.</summary>
    /// <returns>The pair's number, valid until its owner is told that it ended.</returns>
    public int Join(WatchedSocket client, WatchedSocket backend, IPairOwner owner, PairLimits limits, TlsStart? tls = null)
    {
        var number = _pairs.Take();
        ref var pair = ref _pairs[number];
        pair = new Pair
        {
            Owner = owner,
            Tls = tls?.End,
            Client = client.Number,
            Backend = backend.Number,
            LastActive = _reactor.Now,
            IdleLimit = Milliseconds(limits.Idle),
            HalfClosedLimit = Milliseconds(limits.HalfClosed),
            DeadPeerLimit = Milliseconds(limits.DeadPeer),
        };
        if (pair.IsLimited) Oversee(pair.Limit);
        try
        {
            _reactor.BeginStream(client.Number, this, number << 1, client.IsDrained);
            _reactor.BeginStream(backend.Number, this, (number << 1) | 1, backend.IsDrained);
            if (tls is { } start) BeginTls(number, start.Plain.Span);
            return number;
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
        var backend = _pairs[number].Backend;
        return backend == Pair.Gone ? default : (_reactor.LocalAddress(backend), _reactor.RemoteAddress(backend));
    }

    /// <summary>Breaks both connections of a pair; its owner knows why, and is told that it has ended.</summary>
    public void Abort(int number) => End(number, isReset: true);

    public void Received(int socket, in Piece piece)
    {
        ref var pair = ref Find(socket, out var isClient);
        var other = isClient ? pair.Backend : pair.Client;
        if (pair.IsDraining || IsOver(ref pair, isClient) || _reactor.IsDeaf(other)) return; // Read and drop: unread bytes would turn the close into a reset.
        pair.LastActive = _reactor.Now;
        if (pair.Tls is not null)
        {
            if (isClient) Decrypt(socket, ref pair, piece.Bytes);
            else Encrypt(socket, ref pair, piece.Bytes);
            return;
        }

        if (isClient) pair.Owner!.CountToBackend(piece.Bytes);
        else pair.Owner!.CountToClient(piece.Bytes);
        if (!_reactor.Forward(other, piece) && !_reactor.IsDeaf(other)) _reactor.Pause(socket);
        if (piece.ComesInBulk) _reactor.Splice(socket, other);
    }

    public void Spliced(int socket, int count)
    {
        ref var pair = ref Find(socket, out var isClient);
        pair.LastActive = _reactor.Now;
        if (isClient) pair.Owner!.CountToBackend(count);
        else pair.Owner!.CountToClient(count);
    }

    public void Stalled(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        var other = isClient ? pair.Backend : pair.Client;
        if (other != Pair.Gone) _reactor.Pause(other);
    }

    public void Sent(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        pair.LastActive = _reactor.Now;
        var other = isClient ? pair.Backend : pair.Client;
        if (other != Pair.Gone) _reactor.Resume(other);
        if (isClient) ResumeReplied(ref pair);
    }

    public void Finished(int socket)
    {
        ref var pair = ref Find(socket, out var isClient);
        if (pair.IsDraining)
        {
            if (Undelivered(ref pair) == 0) End(_reactor.Place(socket) >> 1, isReset: false);
            return;
        }

        ref var hasFinished = ref isClient ? ref pair.HasClientFinished : ref pair.HasBackendFinished;
        if (hasFinished) return; // The kernel reports a known end again together with other events.
        Note(ref pair, ReasonOfEnd(ref pair, isClient));
        if (!isClient) SayCloseNotify(ref pair);
        if (pair.IsHalfClosed)
        {
            EndInOrder(_reactor.Place(socket) >> 1);
            return;
        }

        var wasLimited = pair.IsLimited;
        hasFinished = true;
        pair.LastActive = _reactor.Now;
        if (wasLimited) Tighten(pair.Limit);
        else if (pair.IsLimited) Oversee(pair.Limit);
        _reactor.FinishSending(isClient ? pair.Backend : pair.Client);
    }

    public void Broken(int socket, Errno error)
    {
        ref var pair = ref Find(socket, out var isClient);
        var isLost = error is Errno.ETIMEDOUT or Errno.EHOSTUNREACH or Errno.ENETUNREACH;
        Note(ref pair, (isClient, isLost) switch
        {
            (true, false) => EndReason.ClientReset,
            (true, true) => EndReason.ClientLost,
            (false, false) => EndReason.BackendReset,
            (false, true) => EndReason.BackendLost,
        });
        var hasFinished = isClient ? pair.HasClientFinished : pair.HasBackendFinished;
        if (pair.IsDraining && DrainsAlone(socket, ref pair, isClient)) return;
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

    public int NextLook()
    {
        var next = _limited == 0 ? -1 : (int)Math.Max(0, _nextSweep - _reactor.Now);
        if (_draining.Count == 0) return next;
        var look = (int)Math.Max(0, _nextLook - _reactor.Now);
        return next < 0 ? look : Math.Min(next, look);
    }

    // Ends the pairs whose time-out has passed. The sweep visits all pairs, at most once per interval, and only if some pair has a limit.
    public void Look()
    {
        if (_draining.Count > 0 && _reactor.Now >= _nextLook) LookAtDraining();
        if (_limited == 0 || _reactor.Now < _nextSweep) return;
        _nextSweep = _reactor.Now + _interval;
        for (var number = 0; number < _pairs.End; number++)
        {
            ref var pair = ref _pairs[number];
            if (pair.Owner is null || pair.IsDraining) continue;
            var still = _reactor.Now - pair.LastActive;
            var isNearLimit = pair.Limit > 0 && still >= pair.Limit - (pair.Limit / 4);
            if (isNearLimit && !IsMoving(ref pair) && still >= pair.Limit)
            {
                pair.Reason = EndReason.IdleTimeout; // Overrides an earlier half-close, which is not what ended it.
                End(number, isReset: true);
            }
            else if (pair.DeadPeerLimit > 0)
            {
                WatchForDeadPeer(ref pair);
            }
        }
    }

    // A slow reader may spend a long time on bytes that are already in the kernel or in a pipe.
    private bool IsMoving(ref Pair pair)
    {
        var acknowledged = (uint)(_reactor.Acknowledged(pair.Client) + _reactor.Acknowledged(pair.Backend));
        var isMoving = pair.LookedAt == (int)pair.LastActive && acknowledged != pair.Acknowledged;
        if (isMoving) pair.LastActive = _reactor.Now;
        (pair.LookedAt, pair.Acknowledged) = ((int)pair.LastActive, acknowledged);
        return isMoving;
    }

    // Not on joining: short-lived tunnels do not need the watch and should not pay for it.
    private void WatchForDeadPeer(ref Pair pair)
    {
        _reactor.SetDeadPeerTimeout(pair.Client, pair.DeadPeerLimit);
        _reactor.SetDeadPeerTimeout(pair.Backend, pair.DeadPeerLimit);
        pair.DeadPeerLimit = 0;
        if (!pair.IsLimited) _limited--;
    }

    private ref Pair Find(int socket, out bool isClient)
    {
        var place = _reactor.Place(socket);
        isClient = (place & 1) == 0;
        return ref _pairs[place >> 1];
    }

    // A client that ends TLS says so first (RFC 8446 section 6.1): a bare FIN may be somebody else's.
    private static EndReason ReasonOfEnd(ref Pair pair, bool isClient)
    {
        if (!isClient) return EndReason.BackendClosed;
        return pair.Tls is { Status: not TlsStatus.PeerClosed } ? EndReason.ClientTruncated : EndReason.ClientClosed;
    }

    private static void Note(ref Pair pair, EndReason reason)
    {
        if (pair.Reason == EndReason.None) pair.Reason = reason;
    }

    private void Oversee(int limit)
    {
        if (_limited++ == 0) _nextSweep = _reactor.Now + _interval;
        Tighten(limit);
    }

    private void Tighten(int limit)
    {
        if (limit == 0) return;
        _interval = Math.Clamp(limit / 4, 10, _interval);
        _nextSweep = Math.Min(_nextSweep, _reactor.Now + _interval);
    }

    private void End(int number, bool isReset)
    {
        var pair = _pairs[number];
        _pairs[number] = default;
        _pairs.Return(number);
        if (pair.IsLimited) _limited--;
        if (pair.IsDraining) _draining.Remove(number);
        pair.Tls?.Dispose();
        if (pair.Client != Pair.Gone) _reactor.Close(pair.Client, isReset);
        if (pair.Backend != Pair.Gone) _reactor.Close(pair.Backend, isReset);
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

    private static int Milliseconds(TimeSpan? time) => time is { } limit ? Math.Max(1, (int)limit.TotalMilliseconds) : 0;
}
