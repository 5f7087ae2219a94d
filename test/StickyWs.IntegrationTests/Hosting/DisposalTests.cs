using System.Net.WebSockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.TestKit;
using StickyWs.Tunnels;

namespace StickyWs.IntegrationTests.Hosting;

/// <summary>
/// What a test that uses <c>WebApplicationFactory</c> waits for when it disposes of it. The shutdown time never ends here: whoever waited for it
/// would wait for ever.
/// </summary>
public sealed class DisposalTests : BalancerTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_open_WebSocket_of_the_in_memory_server_does_not_hold_the_factory(bool isAsync)
    {
        await using var backend = RawBackend.Opening(); // One that ends nothing by itself.
        var balancer = StartInMemory(backend.Address);
        using var socket = await balancer.Factory.Server.CreateWebSocketClient().ConnectAsync(new Uri("ws://localhost/"), Wait.Token());
        var server = await backend.NextTunnelAsync();
        await StandAsync(balancer, 1);

        await DisposeAsync(balancer, isAsync);

        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal(["Shutdown"], balancer.EndReasons);
        await server.WaitForEndAsync();
        await Assert.ThrowsAsync<IOException>(() => socket.ReceiveAsync(new byte[1], Wait.Token()));
    }

    [Fact]
    public async Task Nor_do_many_that_are_busy()
    {
        var backends = await StartEchoesAsync(2);
        var balancer = StartInMemory(backends[0].Address, backends[1].Address);
        var client = balancer.Factory.Server.CreateWebSocketClient();
        var busy = new List<Task>();
        for (var i = 0; i < 20; i++)
        {
            var socket = await client.ConnectAsync(new Uri("ws://localhost/"), Wait.Token());
            busy.Add(EchoUntilBrokenAsync(socket));
        }

        await StandAsync(balancer, 20);

        await DisposeAsync(balancer, isAsync: true);

        await Task.WhenAll(busy).WaitAsync(Wait.Bound);
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 20 && balancer.OpenTunnels == 0);
    }

    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.Portable)]
    public async Task On_Kestrel_a_client_that_was_disposed_of_first_does_not_hold_it(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Owned(Balancer.Start(lane, Pool(backends[0].Address), WithoutEnd));
        using (var socket = new ClientWebSocket())
        {
            await socket.ConnectAsync(new UriBuilder(balancer.Address) { Scheme = "ws" }.Uri, Wait.Token());
            await StandAsync(balancer, 1);
        }

        await DisposeAsync(balancer, isAsync: true);

        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
    }

    // The client may have its 101 a moment earlier.
    private static Task StandAsync(Balancer balancer, int tunnels)
    {
        var table = balancer.Services.GetRequiredService<TunnelTable>();
        return Wait.UntilAsync(() => table.Count == tunnels);
    }

    private Balancer StartInMemory(params string[] backends) => Owned(Balancer.StartInMemory(Pool(backends), WithoutEnd));

    private static void WithoutEnd(IWebHostBuilder builder)
        => builder.ConfigureServices(services => services.PostConfigure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan));

    private static Task DisposeAsync(Balancer balancer, bool isAsync)
        => (isAsync ? balancer.Factory.DisposeAsync().AsTask() : Task.Run(balancer.Factory.Dispose)).WaitAsync(Wait.Bound);

    private static async Task EchoUntilBrokenAsync(WebSocket socket)
    {
        using (socket)
        {
            try
            {
                // In turns: what is sent in memory finds no end of room.
                while (true)
                {
                    await socket.SendAsync(new byte[64], WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
                    await socket.ReceiveAsync(new byte[64], CancellationToken.None);
                }
            }
            catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException)
            {
                // Broken off, as expected.
            }
        }
    }
}
