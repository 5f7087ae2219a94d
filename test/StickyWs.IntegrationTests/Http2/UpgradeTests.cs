using System.Net;
using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Http2;

/// <summary>Other upgrades than WebSocket by extended CONNECT, and what <c>Upgrade</c> means in HTTP/2: nothing.</summary>
public sealed class UpgradeTests : BalancerTest
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("TCP")]
    public async Task A_listed_protocol_of_extended_CONNECT_is_an_upgrade_at_the_backend(string protocol)
    {
        await using var backend = Switching();
        var balancer = Start(Lane.InsideTls, Pool(backend.Address).With("Pools:chat:Upgrades:0", "tcp"));
        using var client = Client();
        using var request = Connect(balancer, protocol);

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.All(["Upgrade", "Connection", "Content-Length"], name => Assert.False(answer.Headers.NonValidated.Contains(name) || answer.Content.Headers.NonValidated.Contains(name)));
        var head = Assert.Single(backend.Heads);
        Assert.Equal("GET /attach?x=1 HTTP/1.1", HttpHead.FirstLine(head));
        Assert.Equal([protocol], HttpHead.Values(head, "Upgrade"));
        Assert.Equal(["Upgrade"], HttpHead.Values(head, "Connection"));
        Assert.Equal("2", HttpHead.Value(head, "X-Kept"));
        Assert.All(["Sec-WebSocket-Key", "Sec-WebSocket-Version"], name => Assert.Null(HttpHead.Value(head, name)));

        var server = await backend.NextTunnelAsync();
        await using var stream = await answer.Content.ReadAsStreamAsync();
        await stream.WriteAsync("ping"u8.ToArray(), Wait.Token());
        await stream.FlushAsync();
        Assert.Equal("ping", await server.ReadTextAsync(4));
        var buffer = new byte[5];
        await stream.ReadExactlyAsync(buffer, Wait.Token());
        Assert.Equal("first", Encoding.ASCII.GetString(buffer));
    }

    [Theory]
    [InlineData("foo")]
    [InlineData("h2c")]
    [InlineData("connect-udp")]
    public async Task A_protocol_of_extended_CONNECT_that_is_not_listed_is_a_501(string protocol)
    {
        await using var backend = Switching();
        var balancer = Start(Lane.InsideTls, Pool(backend.Address).With("Pools:chat:Upgrades:0", "tcp"));
        using var client = Client();
        using var request = Connect(balancer, protocol);

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());

        Assert.Equal(HttpStatusCode.NotImplemented, answer.StatusCode);
        Assert.Equal(0, backend.Connections);
    }

    private static HttpClient Client()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        return new HttpClient(handler);
    }

    private static HttpRequestMessage Connect(Balancer balancer, string protocol)
    {
        var request = new HttpRequestMessage(HttpMethod.Connect, new Uri(balancer.Address, "/attach?x=1")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Protocol = protocol;
        request.Headers.Add("X-Kept", "2");
        return request;
    }

    private static RawBackend Switching() => RawBackend.Start(async (self, wire) =>
    {
        await self.TakeHeadAsync(wire);
        await wire.WriteAsync("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 3\r\n\r\nfirst");
        self.GiveToTest(wire);
    });
}
