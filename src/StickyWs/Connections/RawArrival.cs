using System.Buffers;
using Microsoft.AspNetCore.Connections;
using StickyWs.Detection;
using StickyWs.Dialing;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>
/// An arrival on a bare socket without TLS, or whose TLS has not begun. It peeks: nothing is taken off the socket, but by the direct lane if that has had it.
/// </summary>
internal sealed class RawArrival(ConnectionContext connection, IRawConnection raw) : SocketArrival(connection, raw)
{
    // What the direct lane has left: a whole head, and perhaps more. Given up with the socket, as a connection that was released keeps this object.
    private ReadOnlyMemory<byte> _early;

    public override bool IsHttps => false;

    public override bool CanTerminate => true;

    public override bool TryRead(ref Sniffer sniffer, out HeadResult result)
    {
        if (!WasDirect) return HeadPeeker.TryRead(Raw, ref sniffer, out result);
        var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(_early), out var head);
        result = new HeadResult(HeadOutcome.Sniffed, verdict, head);
        return true;
    }

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

    public override ValueTask<Departure> ServeDirectlyAsync(DirectLane lane)
    {
        WasDirect = true;
        return lane.ServeAsync(Raw, this, ConnectionId, Stopping);
    }

    public override void Return(Departure departure) => _early = departure.Plain;

    protected override ConnectionContext Realize() => Raw.Realize(early: TakeEarly());

    protected override DetachedClient Detach(int headLength, TimeProvider time) => WasDirect
        ? new(Raw.Detach(), Raw.Tuple, ConnectionId, headLength: 0, time) { Early = TakeEarly()[headLength..] }
        : new(Raw.Detach(), Raw.Tuple, ConnectionId, headLength, time);

    private ReadOnlyMemory<byte> TakeEarly()
    {
        var early = _early;
        _early = default;
        return early;
    }
}
