using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class SignalRTests : AffinityTest
{
    public static MatrixTheoryData<StoreKind, HttpTransportType> StoresAndTransports { get; } = new(
        Enum.GetValues<StoreKind>(), [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling]);

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

    [Theory]
    [MemberData(nameof(StoresAndTransports))]
    public async Task Of_a_thousand_connections_none_fails_when_each_request_goes_to_another_instance_than_the_one_before(StoreKind kind,
        HttpTransportType transport)
    {
        var store = await StartStoreAsync(kind);
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c")) };
        var instances = Enumerable.Range(0, 2).Select(_ => Start(
            Lane.Raw, PoolOf(backends).With("Pools:chat:Affinity:Rules:0:SignalR", "").With("Pins:StoreTimeout", "00:00:05"), store.AddTo)).ToArray();
        var reached = new ConcurrentDictionary<string, int>();

        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, _) =>
        {
            var turn = i;
            await using var connection = HubBackend.Connect(transport, () => instances[Interlocked.Increment(ref turn) % 2].Address);
            await connection.StartAsync(Wait.Token());
            var name = await connection.InvokeAsync<string>("Name", Wait.Token());
            Assert.Equal(name, await connection.InvokeAsync<string>("Name", Wait.Token()));
            reached.AddOrUpdate(name, 1, (_, count) => count + 1);
            await connection.StopAsync(Wait.Token());
        });

        Assert.Equal(1000, reached.Values.Sum());
        Assert.Equal(["a", "b", "c"], reached.Keys.Order());
    }
}
