using System.Net.WebSockets;
using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Hosting;

public sealed class InMemoryTests : BalancerTest
{
    [Fact]
    public async Task Requests_to_the_in_memory_server_take_turns()
    {
        var backends = await StartEchoesAsync(3);
        var balancer = Owned(Balancer.StartInMemory(Pool([.. backends.Select(backend => backend.Address)])));
        using var client = balancer.Factory.CreateClient();

        var answers = new List<string>();
        for (var i = 0; i < 6; i++) answers.Add(await client.GetStringAsync("/"));

        Assert.Equal(["a", "b", "c", "a", "b", "c"], answers);
        Assert.Equal(TestBalancer.AppAnswer, await client.GetStringAsync("/app"));
    }

    [Fact]
    public async Task A_WebSocket_of_the_in_memory_server_reaches_a_backend()
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Owned(Balancer.StartInMemory(Pool(backends[0].Address, backends[1].Address)));
        var client = balancer.Factory.Server.CreateWebSocketClient();
        client.SubProtocols.Add("chat.v2");
        for (var i = 0; i < 2; i++)
        {
            using var socket = await client.ConnectAsync(new Uri("ws://localhost/room"), Wait.Token());
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());
            var buffer = new byte[64];
            var received = await socket.ReceiveAsync(buffer.AsMemory(), Wait.Token());
            Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, received.Count));
            Assert.Equal("chat.v2", socket.SubProtocol);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Wait.Token());
        }

        Assert.All(backends, backend => Assert.Equal(1, backend.WebSockets));
    }
}
