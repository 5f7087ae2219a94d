using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>A tunnel of the raw lane: what stays of it on the managed heap while a reactor moves its bytes. The reactor owns both sockets.</summary>
internal sealed class RawTunnel(ConnectionTuple tuple, string connectionId, Lease lease, long openedAt, Reactor reactor, TunnelTable tunnels)
    : Tunnel(connectionId, lease, openedAt), IPairOwner
{
    private const int NotJoined = -1;

    // Used on the reactor's thread only.
    private int _pair = NotJoined;

    public override string Lane => LaneNames.Raw;

    public override ConnectionTuple? Tuple => tuple;

    /// <summary>Hands both sockets over to the reactor, which owns them from here on. The tunnel ends in any case.</summary>
    /// <exception cref="IOException">The kernel cannot watch another socket. The tunnel has ended, and the caller still owns both
    /// sockets.</exception>
    public void Join(RawSocket client, RawSocket backend, TunnelOptions options)
    {
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

        var limits = new PairLimits(options.IdleTimeout, options.HalfClosedTimeout, options.DeadPeerTimeout);
        if (reactor.IsCurrent)
        {
            JoinHere(clientSocket, backendSocket, limits);
            return;
        }

        // Until the reactor runs this, no one is told what the backend sends.
        var unsure = backendSocket with { IsDrained = false };
        reactor.Run(() => JoinHere(clientSocket, unsure, limits));
    }

    public override void Abort(EndReason reason) => reactor.Run(() =>
    {
        Note(reason);
        if (_pair != NotJoined) PairRelay.Of(reactor).Abort(_pair);
    });

    public void Ended(EndReason reason)
    {
        _pair = NotJoined;
        Note(reason);
        tunnels.Close(this);
    }

    private void JoinHere(WatchedSocket client, WatchedSocket backend, PairLimits limits)
    {
        _pair = PairRelay.Of(reactor).Join(client, backend, this, limits);
        if (EndReason != EndReason.None) PairRelay.Of(reactor).Abort(_pair); // It ended on the way here.
    }
}
