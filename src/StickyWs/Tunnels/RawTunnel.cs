using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>A tunnel of the raw lane: what stays of it on the managed heap while a reactor moves its bytes. The reactor owns both sockets.</summary>
internal sealed class RawTunnel(ConnectionTuple tuple, string connectionId, Lease lease, long openedAt, Reactor reactor, TunnelTable tunnels)
    : Tunnel(connectionId, lease, openedAt), IPairOwner
{
    private const int NotJoined = Pair.Gone;
    private const int HasEnded = NotJoined - 1;

    // Used on the reactor's thread only.
    private int _pair = NotJoined;
    private bool _hasClientTls;
    private bool _hasBackendTls;

    public override string Lane => LaneNames.Raw;

    public override ConnectionTuple? Tuple => tuple;

    public override bool HasClientTls => _hasClientTls;

    public override bool HasBackendTls => _hasBackendTls;

    public override Reactor Reactor => reactor;

    public override long ReadIdle() => _pair < 0 ? 0 : PairRelay.Of(reactor).IdleOf(_pair);

    public override long ReadLastActive(long now) => _pair < 0 ? now : PairRelay.Of(reactor).LastActiveOf(_pair);

    // Not kept: a tunnel costs less so, and few are ever looked at.
    public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync()
    {
        if (reactor.IsCurrent) return new ValueTask<ConnectionTuple?>(BackendTuple());
        var reading = new TaskCompletionSource<ConnectionTuple?>(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Run(() =>
        {
            try
            {
                reading.SetResult(BackendTuple());
            }
#pragma warning disable CA1031 // Whoever asked is told.
            catch (Exception e)
#pragma warning restore CA1031
            {
                reading.SetException(e);
            }
        });
        return new ValueTask<ConnectionTuple?>(reading.Task);
    }

    /// <summary>Hands both sockets over to the reactor. They are its own from here on, and the tunnel ends in any case.</summary>
    /// <param name="client">The client's socket.</param>
    /// <param name="backend">The backend's socket.</param>
    /// <param name="options">The pool's limits.</param>
    /// <param name="clientTls">The TLS end on the client's side, if there is one.</param>
    /// <param name="backendTls">The same on the backend's side.</param>
    /// <param name="early">What was received from a client without TLS behind its handshake.</param>
    /// <exception cref="IOException">The kernel has no room to watch one more: the tunnel has ended, and everything is still the caller's.</exception>
    public void Join(
        RawSocket client, RawSocket backend, TunnelOptions options, TlsStart? clientTls = null, TlsStart? backendTls = null,
        ReadOnlyMemory<byte> early = default)
    {
        (_hasClientTls, _hasBackendTls) = (clientTls is not null, backendTls is not null);
        WatchedSocket clientSocket, backendSocket;
        try
        {
            if (!tunnels.TryOpen(this)) Note(EndReason.Shutdown);
            backendSocket = backend.ReleaseWatched();
            clientSocket = client.ReleaseWatched(); // Already watched, so this cannot fail.
        }
        catch
        {
            Ended(EndReason.Failed);
            throw;
        }

        var watch = TunnelWatch.For(options, Backend.Options.Drain);
        var limits = new PairLimits(options.IdleTimeout, options.HalfClosedTimeout, options.DeadPeerTimeout, watch);
        if (reactor.IsCurrent)
        {
            JoinHere(clientSocket, backendSocket, limits, clientTls, backendTls, early);
            return;
        }

        // Until the reactor runs this, no one is told what either side sends.
        var (unsureClient, unsureBackend) = (clientSocket with { IsDrained = false }, backendSocket with { IsDrained = false });
        reactor.Run(() => JoinHere(unsureClient, unsureBackend, limits, clientTls, backendTls, early));
    }

    public override void Abort(EndReason reason) => reactor.Run(() =>
    {
        if (_pair == HasEnded) return;
        NoteAbort(reason);
        if (_pair >= 0) PairRelay.Of(reactor).Abort(_pair);
    });

    public override void Say(Goodbye goodbye) => reactor.Run(() => SayHere(goodbye));

    public void Ended(EndReason reason)
    {
        _pair = HasEnded;
        Note(reason);
        tunnels.Close(this);
    }

    private ConnectionTuple? BackendTuple()
        => _pair >= 0 && PairRelay.Of(reactor).AddressesToBackend(_pair) is ({ } local, { } remote) ? new ConnectionTuple(local, remote) : null;

    // Before it is joined its sockets are on their way here, so the word waits for another turn.
    private void SayHere(Goodbye goodbye)
    {
        if (_pair == NotJoined) ThreadPool.UnsafeQueueUserWorkItem(static late => late.Tunnel.Say(late.Goodbye), (Tunnel: this, Goodbye: goodbye), false);
        else if (_pair != HasEnded && PairRelay.Of(reactor).Say(_pair, goodbye)) Note(goodbye);
    }

    private void JoinHere(
        WatchedSocket client, WatchedSocket backend, PairLimits limits, TlsStart? clientTls, TlsStart? backendTls, ReadOnlyMemory<byte> early)
    {
        var pair = PairRelay.Of(reactor).Join(client, backend, this, limits, clientTls, backendTls, early);
        if (pair == Pair.Gone) return; // Its ends came with the beginning.
        _pair = pair;
        var isAborted = EndReason != EndReason.None; // On the way here.
        tunnels.Announce(this);
        if (isAborted && _pair >= 0) PairRelay.Of(reactor).Abort(_pair);
    }
}
