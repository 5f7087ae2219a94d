using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>
/// SignalR's stateful reconnect: the same connection goes on over another WebSocket, which must reach the same server, and brings nothing but its
/// token.
/// </summary>
public sealed class StatefulReconnectTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_connection_whose_WebSocket_breaks_goes_on_with_its_own_backend(Lane lane)
    {
        var backends = new List<EchoBackend>();
        foreach (var name in new[] { "a", "b", "c" })
        {
            backends.Add(Owned(await EchoBackend.StartAsync(
                name,
                configure: app => app.MapHub<CountingHub>("/hub", options => options.AllowStatefulReconnects = true),
                services: services => services.AddSingleton(new HubName(name)).AddSignalR())));
        }

        var balancer = Start(lane, Pool([.. backends.Select(backend => backend.Address)]).With("Pools:chat:Affinity:Rules:0:SignalR", ""));
        List<ClientWebSocket> sockets = [];
        await using var connection = new HubConnectionBuilder().WithUrl(new Uri(balancer.Address, "hub"), options =>
        {
            options.Transports = HttpTransportType.WebSockets;
            options.HttpMessageHandlerFactory = _ => new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
            options.WebSocketFactory = async (context, cancellation) =>
            {
                var socket = new ClientWebSocket();
                socket.Options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
                await socket.ConnectAsync(context.Uri, cancellation);
                sockets.Add(socket);
                return socket;
            };
        }).WithStatefulReconnect().Build();

        await connection.StartAsync(Wait.Token());
        var first = await connection.InvokeAsync<string>("Count", Wait.Token());
        for (var i = 2; i <= 6; i++)
        {
            sockets[^1].Abort();
            Assert.Equal($"{first[..^1]}{i}", await connection.InvokeAsync<string>("Count", Wait.Token()));
        }

        Assert.Equal(6, sockets.Count);
        await connection.StopAsync(Wait.Token());
    }

    private sealed record HubName(string Name);

    private sealed class CountingHub(HubName name) : Hub
    {
        // In the connection's own items: another connection, or another server, begins at one.
        public string Count() => $"{name.Name} {Context.Items["count"] = ((int?)Context.Items["count"] ?? 0) + 1}";
    }
}
