using System.Net.Security;
using System.Security.Authentication;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>How connections end whose TLS ends in the raw lane: every orderly end is a close_notify, then a FIN (RFC 8446 section 6.1).</summary>
public sealed class EndingTests : RawTlsTest
{
    // An alert of TLS 1.3 in a record: two bytes, their type, and the tag.
    private const int AlertRecord = 2 + 1 + 16;

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_backends_end_is_a_close_notify_then_a_FIN(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();

        await server.WriteAsync("the last");
        await server.FinishAsync();

        Assert.Equal("the last", await client.Wire.ReadTextToEndAsync());
        if (client.Tls.SslProtocol == SslProtocols.Tls13) Assert.Equal(AlertRecord, client.Records[^1]);
        await client.SayCloseNotifyAsync();
        Assert.True(await server.EndsInOrderAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("BackendClosed", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_clients_close_notify_is_a_half_close(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();

        await client.Wire.WriteAsync("the last");
        await client.SayCloseNotifyAsync();
        Assert.Equal("the last", await server.ReadTextToEndAsync());
        await server.WriteAsync("and still");
        await server.WriteAsync(new byte[300_000]);
        await server.FinishAsync();

        Assert.Equal("and still", await client.Wire.ReadTextAsync(9));
        Assert.Equal(300_000, (await client.Wire.ReadToEndAsync()).Length);
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("ClientClosed", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_bare_FIN_is_told_apart(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();

        await client.Wire.WriteAsync("the last");
        client.Finish();
        Assert.Equal("the last", await server.ReadTextToEndAsync());
        await server.WriteAsync("and still");
        await server.FinishAsync();

        Assert.Equal("and still", await client.Wire.ReadTextToEndAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("ClientTruncated", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_record_that_was_changed_ends_the_tunnel_with_an_alert(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();

        client.Tamper();
        await client.Wire.WriteAsync("changed on the way");

        Assert.False(await server.EndsInOrderAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => client.Wire.ReadToEndAsync());
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("TlsFailed", balancer.EndReasons[0]);
        if (client.Tls.SslProtocol == SslProtocols.Tls13) Assert.Equal(AlertRecord, client.Records[^1]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_FIN_within_a_record_delivers_nothing_of_it(Lane lane)
    {
        var (balancer, backend) = Start(lane);
        await using var client = await OpenAsync(balancer);
        var server = await backend.NextTunnelAsync();

        await client.Wire.WriteAsync("whole");
        client.Cut();
        await client.Wire.WriteAsync("cut");
        client.Finish();

        Assert.Equal("whole", await server.ReadTextToEndAsync());
        await server.FinishAsync();
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal("ClientTruncated", balancer.EndReasons[0]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task An_answer_that_closes_the_connection_ends_with_a_close_notify(Lane lane)
    {
        var (balancer, _) = Start(lane);
        await using var client = await TlsWire.ConnectAsync(balancer.Address);

        await client.Wire.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n");

        Assert.Contains(TestBalancer.AppAnswer, await client.Wire.ReadTextToEndAsync(), StringComparison.Ordinal);
        if (client.Tls.SslProtocol == SslProtocols.Tls13) Assert.Equal(AlertRecord, client.Records[^1]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task A_refused_handshake_ends_with_a_close_notify(Lane lane)
    {
        var balancer = Start(lane, Pool("http://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/chat"));
        await using var client = await TlsWire.ConnectAsync(balancer.Address);

        await client.Wire.WriteAsync(HttpHead.Handshake("/chat"));

        Assert.StartsWith("HTTP/1.1 502 ", await client.Wire.ReadTextToEndAsync(), StringComparison.Ordinal);
        if (client.Tls.SslProtocol == SslProtocols.Tls13) Assert.Equal(AlertRecord, client.Records[^1]);
    }

    [Theory]
    [MemberData(nameof(RawTlsLanes))]
    public async Task Plain_HTTP_on_the_port_is_not_served(Lane lane)
    {
        var (balancer, _) = Start(lane);
        await using var client = await RawClient.ConnectAsync(new UriBuilder(balancer.Address) { Scheme = "http" }.Uri);

        await client.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n");

        await client.WaitForEndAsync();
    }
}
