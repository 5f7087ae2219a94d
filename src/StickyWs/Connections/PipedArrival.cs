using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using StickyWs.Detection;
using StickyWs.Dialing;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>An arrival on a pipe, on any of Kestrel's transports, with or without TLS. Its tunnel uses the portable lane.</summary>
internal sealed class PipedArrival(ConnectionContext connection) : ConnectionArrival(connection)
{
    public override IPAddress? Peer => EndPoints.ToAddress(Connection.RemoteEndPoint);

    public override bool IsHttps => Connection.Features.Get<ITlsHandshakeFeature>() is not null;

    public override bool TryRead(ref Sniffer sniffer, out HeadResult result) => HeadReader.TryRead(Connection.Transport.Input, ref sniffer, out result);

    public override ValueTask<HeadResult> ReadAsync(Sniffer sniffer, TimeSpan deadline, TimeProvider time)
        => HeadReader.ReadAsync(Connection.Transport.Input, sniffer, deadline, time, Stopping);

    public override async Task ForwardAsync(RequestHead head, Decision decision, SniffingServices services)
    {
        var client = new SniffedClient(Connection, head.Length);
        var forwarding = services.Forwarder.ForwardAsync(client, head, decision);
        (head, decision) = (null!, null!); // An open tunnel must not keep them alive.
        await forwarding.ConfigureAwait(false);
        await client.CloseAsync(services.Time).ConfigureAwait(false);
    }

    public override async Task PassThroughAsync(int helloLength, Decision decision, SniffingServices services)
    {
        var client = new SniffedClient(Connection, helloLength);
        var forwarding = services.Passthrough.ForwardAsync<SniffedClient, StreamBackendConnection>(client, decision);
        decision = null!; // An open tunnel must not keep it alive.
        await forwarding.ConfigureAwait(false);
        await client.CloseAsync(services.Time).ConfigureAwait(false);
    }

    public override ValueTask RefuseAsync(Refusal refusal, TimeProvider time) => RefuseAsync(refusal.ToBytes(), time);

    public override ValueTask RefuseAsync(TlsAlert alert, TimeProvider time) => RefuseAsync(PlainAlert.Of(alert), time);

    private async ValueTask RefuseAsync(byte[] answer, TimeProvider time)
    {
        var client = new SniffedClient(Connection, headLength: 0);
        await client.RefuseAsync(answer).ConfigureAwait(false);
        await client.CloseAsync(time).ConfigureAwait(false);
    }
}
