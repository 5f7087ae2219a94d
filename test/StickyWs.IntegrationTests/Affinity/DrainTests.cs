using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>A backend that is to be emptied (<c>Enabled=false</c>) keeps the clients that it has.</summary>
public sealed class DrainTests : AffinityTest
{
    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_client_with_its_cookie_gets_in_and_a_new_one_does_not(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(3)).With("Pools:chat:Affinity:Rules:0:Cookie", ""));
        var cookie = await CookieToAsync(balancer, lane, "b");

        await EnableAsync(balancer, "b", false);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("b", await ReachAsync(balancer, lane, Sends(cookie)));
            Assert.Equal("b", BackendOf(await GetAsync(balancer, Sends(cookie))));
            Assert.NotEqual("b", await ReachAsync(balancer, lane));
            Assert.NotEqual("b", BackendOf(await GetAsync(balancer)));
        }
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_client_whose_backend_has_gone_at_last_gets_in_at_the_only_other(Lane lane)
    {
        await using var leaving = RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            if (!head.Contains("Upgrade: websocket", StringComparison.Ordinal))
                await wire.WriteAsync("HTTP/1.1 200 OK\r\nX-Backend: leaving\r\nContent-Length: 0\r\n\r\n");
            await wire.FinishAsync();
        });
        var other = (await StartEchoesAsync(1))[0];
        var balancer = Start(lane, Pool(leaving.Address, other.Address).With("Pools:chat:Affinity:Rules:0:Cookie", ""));
        string answer;
        do
        {
            answer = await GetAsync(balancer);
        }
        while (BackendOf(answer) != "leaving");
        await EnableAsync(balancer, "a", false);

        var moved = await ShakeAsync(balancer, lane, Sends(CookieOf(answer)));

        Assert.Equal(101, HttpHead.Status(moved));
        Assert.NotNull(CookieOf(moved));
        Assert.Contains(leaving.Heads, head => head.Contains("Upgrade: websocket", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_header_key_that_was_there_before_gets_in_and_a_new_one_does_not(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        LiveSettings Settings() => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Header:Name", "X-User");
        var balancer = Start(lane, Settings());
        var scout = Start(lane, Settings());
        var ofB = new List<string>();
        for (var i = 0; ofB.Count < 20; i++)
        {
            if (await ReachAsync(scout, lane, $"X-User: {i}\r\n") == "b") ofB.Add($"X-User: {i}\r\n");
        }

        var (known, others) = (ofB.Take(10).ToList(), ofB.Skip(10).ToList());
        foreach (var headers in known) Assert.Equal("b", await ReachAsync(balancer, lane, headers));
        await EnableAsync(balancer, "b", false);

        foreach (var headers in known)
        {
            Assert.Equal("b", await ReachAsync(balancer, lane, headers));
            Assert.Equal("b", BackendOf(await GetAsync(balancer, headers)));
        }

        foreach (var headers in others)
        {
            var elsewhere = await ReachAsync(balancer, lane, headers);
            Assert.NotEqual("b", elsewhere);
            Assert.Equal(elsewhere, BackendOf(await GetAsync(balancer, headers)));
        }
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_SignalR_connection_that_has_negotiated_gets_in_and_goes_on(HttpTransportType transport)
    {
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")) };
        var balancer = Start(Lane.Raw, PoolOf(backends).With("Pools:chat:Affinity:Rules:0:SignalR", ""));
        var asked = 0;
        await using var connection = HubBackend.Connect(transport, () =>
        {
            // The first is for the client's own use, the second is the negotiation, which is the first backend's turn.
            if (Interlocked.Increment(ref asked) == 3) balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Enabled"] = "false");
            return balancer.Address;
        });

        await connection.StartAsync(Wait.Token());

        Assert.Equal(BackendState.Draining, StateOf(balancer, "a"));
        for (var i = 0; i < 5; i++) Assert.Equal("a", await connection.InvokeAsync<string>("Name", Wait.Token()));
        await using var stranger = HubBackend.Connect(transport, () => balancer.Address);
        await stranger.StartAsync(Wait.Token());
        Assert.Equal("b", await stranger.InvokeAsync<string>("Name", Wait.Token()));
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task Its_tunnels_live_on(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        await using var other = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address, other.Address).With("Pools:chat:Affinity:Rules:0:Cookie", ""));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await EnableAsync(balancer, "a", false);

        await client.WriteAsync("still");
        Assert.Equal("still", await server.ReadTextAsync(5));
        await server.WriteAsync("here");
        Assert.Equal("here", await client.ReadTextAsync(4));
    }

    private static async Task<string> CookieToAsync(Balancer balancer, Lane lane, string backend)
    {
        while (true)
        {
            var answer = await ShakeAsync(balancer, lane);
            if (BackendOf(answer) == backend) return CookieOf(answer)!;
        }
    }
}
