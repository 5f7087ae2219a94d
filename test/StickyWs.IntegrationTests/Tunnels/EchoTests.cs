using System.Net.WebSockets;
using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

public sealed class EchoTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task Each_WebSocket_stays_with_one_backend_and_the_next_gets_the_next(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        var balancer = Start(lane, [.. backends.Select(backend => backend.Address)]);
        for (var round = 0; round < 6; round++)
        {
            using var socket = await ConnectWebSocketAsync(balancer);
            for (var message = 0; message < 10; message++) await EchoAsync(socket, $"message {message}");
            Assert.Equal(backends[round % 3].Name, socket.HttpResponseHeaders!["X-Backend"].Single());
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Wait.Token());
        }

        Assert.All(backends, backend => Assert.Equal(2, backend.WebSockets));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task WebSockets_take_turns_by_weight_in_every_lane(Lane lane)
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, Pool(backends[0].Address, backends[1].Address).With("Pools:chat:Backends:b:Weight", "2"));
        for (var i = 0; i < 9; i++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }

        await Wait.UntilAsync(() => backends[0].WebSockets == 3 && backends[1].WebSockets == 6);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Text_and_binary_messages_come_back_and_the_close_is_answered(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, backends[0].Address);
        using var socket = await ConnectWebSocketAsync(balancer, options => options.AddSubProtocol("chat.v2"));

        Assert.Equal("chat.v2", socket.SubProtocol);
        await EchoAsync(socket, "grüße 🦋");
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Wait.Token());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    private static async Task<ClientWebSocket> ConnectWebSocketAsync(Balancer balancer, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        configure?.Invoke(socket.Options);
        var scheme = balancer.Address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        await socket.ConnectAsync(new Uri($"{scheme}://{balancer.Address.Authority}/room"), Wait.Token());
        return socket;
    }

    private static async Task EchoAsync(WebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());
        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), Wait.Token());
        Assert.Equal(text, Encoding.UTF8.GetString(buffer, 0, received.Count));
    }
}
