using Microsoft.AspNetCore.Connections;
using StickyWs.Detection;
using StickyWs.Dialing;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>An arrival on a bare socket without TLS, or whose TLS has not begun. It peeks: nothing is taken off the socket.</summary>
internal sealed class RawArrival(ConnectionContext connection, IRawConnection raw) : SocketArrival(connection, raw)
{
    public override bool IsHttps => false;

    public override bool CanTerminate => true;

    public override bool TryRead(ref Sniffer sniffer, out HeadResult result) => HeadPeeker.TryRead(Raw, ref sniffer, out result);

    public override ValueTask<HeadResult> ReadAsync(Sniffer sniffer, TimeSpan deadline, TimeProvider time)
        => HeadPeeker.ReadAsync(Raw, sniffer, deadline, time, Stopping);

    public override TlsArrival Terminate(TlsTermination tls, bool holdsRecord) => new(Connection, Raw, tls, holdsRecord);

    public override async Task PassThroughAsync(int helloLength, Decision decision, SniffingServices services)
    {
        var client = Detach(helloLength, services.Time);
        await client.Reactor.SwitchTo(); // The tunnel will live there.
        await using (client.ConfigureAwait(false))
            await services.Passthrough.ForwardAsync<DetachedClient, RawBackendConnection>(client, decision).ConfigureAwait(false);
    }

    public override async ValueTask RefuseAsync(TlsAlert alert, TimeProvider time)
    {
        var client = Detach(headLength: 0, time);
        await using (client.ConfigureAwait(false)) await client.RefuseAsync(PlainAlert.Of(alert)).ConfigureAwait(false);
    }

    public override bool CanBeDirect => true;

    public override ValueTask<bool> ServeDirectlyAsync(DirectLane lane) => lane.ServeAsync(Raw, ConnectionId, Stopping);

    protected override ConnectionContext Realize() => Raw.Realize();

    protected override DetachedClient Detach(int headLength, TimeProvider time) => new(Raw.Detach(), Raw.Tuple, ConnectionId, headLength, time);
}
