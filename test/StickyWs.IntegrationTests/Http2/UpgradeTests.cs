using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Http2;

/// <summary>Other upgrades than WebSocket by extended CONNECT, and what <c>Upgrade</c> means in HTTP/2: nothing.</summary>
public abstract class UpgradeTests(Lane lane) : BalancerTest
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("TCP")]
    public async Task A_listed_protocol_of_extended_CONNECT_is_an_upgrade_at_the_backend(string protocol)
    {
        await using var backend = Switching();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Upgrades:0", "tcp"));
        using var client = Client();
        using var request = Connect(balancer, protocol);

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.All(["Upgrade", "Connection", "Content-Length"],
            name => Assert.False(answer.Headers.NonValidated.Contains(name) || answer.Content.Headers.NonValidated.Contains(name)));
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
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Upgrades:0", "tcp"));
        using var client = Client();
        using var request = Connect(balancer, protocol);

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());

        Assert.Equal(HttpStatusCode.NotImplemented, answer.StatusCode);
        Assert.Equal(0, backend.Connections);
    }

    // No client writes the header in HTTP/2, so the frames are written here (RFC 9113 section 8.2.2: it makes a message malformed).
    [Theory]
    [InlineData("foo", "501", 0)]
    [InlineData("tcp", "400", 0)]
    [InlineData("websocket", "400", 0)]
    [InlineData("h2c", "200", 1)]
    public async Task Upgrade_as_a_header_of_HTTP2_is_no_upgrade_and_is_not_stripped(string protocol, string status, int connections)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var settings = Pool(backend.Address).With("Pools:chat:Upgrades:0", "tcp");
        var balancer = Owned(Balancer.Start(settings, kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2)));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));

        byte[] block = [0x82, 0x86, 0x84, 0x01, 1, (byte)'a', 0x00, 7, .. "upgrade"u8, (byte)protocol.Length, .. Encoding.ASCII.GetBytes(protocol)];
        byte[] request = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0, []), .. Frame(1, 0x05, 1, block)];
        await client.WriteAsync(request);

        Assert.Equal(status, await StatusAsync(client));
        Assert.Equal(connections, backend.Connections);
    }

    private static byte[] Frame(byte type, byte flags, byte stream, byte[] payload) => [0, 0, (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];

    // The first field of the first HEADERS frame (RFC 7541 section 6).
    private static async Task<string> StatusAsync(RawClient client)
    {
        while (true)
        {
            var frame = await client.ReadExactlyAsync(9);
            var payload = await client.ReadExactlyAsync((frame[0] << 16) | (frame[1] << 8) | frame[2]);
            if (frame[3] != 1) continue;
            var field = payload.AsSpan();
            while ((field[0] & 0xE0) == 0x20) field = field[1..]; // A change of the table's size; all of these are one byte.
            return field[0] switch { 0x88 => "200", 0x8C => "400", _ => Encoding.ASCII.GetString(field.Slice(2, 3)) };
        }
    }

    private static HttpClient Client()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        return new HttpClient(handler);
    }

    private static HttpRequestMessage Connect(Balancer balancer, string protocol)
    {
        var request = new HttpRequestMessage(HttpMethod.Connect, new Uri(balancer.Address, "/attach?x=1"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
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

    public sealed class InKestrel() : UpgradeTests(Lane.InsideTls);

    public sealed class InTheRawLane() : UpgradeTests(Lane.RawTls);

    public sealed class InTheRawLaneWithOpenSsl() : UpgradeTests(Lane.RawTlsKept);
}
