using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Forwarding;

/// <summary>A tunnel of the raw lane: what is left of it in the managed heap while its bytes move in a reactor. The reactor owns both sockets.</summary>
internal sealed class RawTunnel(string connectionId, Lease lease, long openedAt, Reactor reactor, TunnelTable tunnels)
    : Tunnel(connectionId, lease, openedAt), IPairOwner
{
    private const int NotJoined = -1;

    // Only on the reactor's thread.
    private int _pair = NotJoined;

    /// <summary>Hands both sockets over to the reactor, with what they have received by now. They are its own from here on, and the tunnel ends in any case.</summary>
    /// <exception cref="IOException">The kernel has no room to watch one more; both are still the caller's.</exception>
    public void Join(RawSocket client, RawSocket backend, TunnelOptions options)
    {
        var backendSocket = backend.ReleaseWatched();
        var clientSocket = client.ReleaseWatched(); // Was watched all the time, so this cannot fail.
        var limits = new PairLimits(options.IdleTimeout, options.HalfClosedTimeout, options.DeadPeerTimeout);
        if (!tunnels.TryOpen(this)) Note(EndReason.Shutdown);
        if (reactor.IsCurrent) JoinHere(clientSocket, backendSocket, limits);
        else reactor.Run(() => JoinHere(clientSocket, backendSocket, limits));
    }

    public override void Abort(EndReason reason) => reactor.Run(() =>
    {
        Note(reason);
        if (_pair != NotJoined) reactor.Relay.Abort(_pair);
    });

    // The reactor looks after its own.
    public override bool IsOverdue(TimeProvider time) => false;

    public void Ended(EndReason reason)
    {
        _pair = NotJoined;
        Note(reason);
        tunnels.Close(this);
    }

    private void JoinHere(WatchedSocket client, WatchedSocket backend, PairLimits limits)
    {
        _pair = reactor.Relay.Join(client, backend, this, limits);
        if (EndReason != EndReason.None) reactor.Relay.Abort(_pair); // On the way here.
    }
}
