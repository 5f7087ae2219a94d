using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class SignalRTests : BalancerTest
{
    public static TheoryData<Lane, HttpTransportType> LanesAndTransports { get; } =
    [
        .. from lane in new[] { Lane.Raw, Lane.Portable }
           from transport in new[] { HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling }
           select (lane, transport),
    ];

    [Theory]
    [MemberData(nameof(LanesAndTransports))]
    public async Task A_connection_without_cookies_stays_with_the_backend_that_it_negotiated_with(Lane lane, HttpTransportType transport)
    {
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c")) };
        var balancer = Start(lane, Pool([.. backends.Select(backend => backend.Address)]).With("Pools:chat:Affinity:Rules:0:SignalR", ""));

        for (var i = 0; i < 9; i++)
        {
            await using var connection = HubBackend.Connect(transport, () => balancer.Address);
            await connection.StartAsync(Wait.Token());
            var first = await connection.InvokeAsync<string>("Name", Wait.Token());
            for (var j = 0; j < 3; j++) Assert.Equal(first, await connection.InvokeAsync<string>("Name", Wait.Token()));
            await connection.StopAsync(Wait.Token());
        }
    }
}
