using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Draining;

/// <summary>A backend is added, and gets tunnels of the others by way of their clients.</summary>
public sealed class RebalanceTests : DrainingTest
{
    // The test is done: what ends from now on does not come back.
    private volatile bool _isOver;

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_that_is_added_gets_its_share(Lane lane)
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, Rebalancing(Pool(backends[0].Address)));
        var clients = await OpenAsync(balancer, lane, 8);

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:b:Address"] = backends[1].Address);
        _ = clients.Select(client => ComeBackAsync(balancer, lane, client)).ToArray();

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "RebalanceEnded"));
        _isOver = true;
        await Wait.UntilAsync(() => TunnelsOf(balancer, "b") == 4);
        Assert.Equal((4, 4), (TunnelsOf(balancer, "a"), CountOf(balancer, "Rebalanced")));
        Assert.Equal(
            [
                "Pool chat is rebalanced: 4 tunnels of its crowded backends are told to go",
                "Pool chat is no longer rebalanced: 4 tunnels were told to go, 0 of their clients did not come back",
            ],
            balancer.Log.Lines.Where(line => line.Event is "RebalanceBegun" or "RebalanceEnded").Select(line => line.Text));
    }

    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.RawEpoll)]
    [InlineData(Lane.Portable)]
    [InlineData(Lane.InsideTls)]
    [InlineData(Lane.RawTls)]
    public async Task Reloads_in_the_middle_lose_nothing(Lane lane)
    {
        const int count = 1000;
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, Rebalancing(Pool(backends[0].Address)).With("Pools:chat:Rebalance:Rate", "200"));
        var clients = await OpenAsync(balancer, lane, count);

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:b:Address"] = backends[1].Address);
        _ = clients.Select(client => ComeBackAsync(balancer, lane, client)).ToArray();
        for (var reload = 0; !HasEnded(); reload++)
        {
            var before = CountOf(balancer, "Rebalanced");
            await ReloadAsync(balancer, TimeSpan.FromSeconds(1 + (reload % 60)));
            await Wait.UntilAsync(() => CountOf(balancer, "Rebalanced") > before || HasEnded());
        }

        _isOver = true;
        var moved = CountOf(balancer, "Rebalanced");
        await Wait.UntilAsync(() => TunnelsOf(balancer, "a") + TunnelsOf(balancer, "b") == count);
        Assert.InRange(moved, (int)(count * 0.47), count / 2);
        Assert.Equal((moved, moved), (TunnelsOf(balancer, "b"), balancer.EndReasons.Count));
        Assert.Single(balancer.Log.Lines, line => line.Event == "RebalanceBegun");

        bool HasEnded() => balancer.Log.Lines.Any(line => line.Event == "RebalanceEnded");
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task Pinned_clients_are_moved_if_that_is_asked_for_and_are_known_there(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        await using var other = RawBackend.Opening();
        var settings = Rebalancing(Pool(backend.Address)).With("Pools:chat:Affinity:Rules:0:Cookie", "").With("Pools:chat:Rebalance:Pinned", "true");
        var balancer = Start(lane, settings);
        var cookies = new string?[2];
        var clients = new RawClient[2];
        for (var i = 0; i < 2; i++)
        {
            clients[i] = await ConnectAsync(balancer, lane);
            cookies[i] = CookieOf(await clients[i].AskAsync(HttpHead.Handshake()));
            _ = SeeOutAsync(await backend.NextTunnelAsync());
        }

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:b:Address"] = other.Address);
        var ends = clients.Select(SeeOutAsync).ToArray();
        var told = Array.IndexOf(ends, await Task.WhenAny(ends));
        var moved = await ShakeAsync(balancer, lane, Sends(cookies[told]));

        Assert.Contains("StickyWs-Moved-From: a\r\n", Assert.Single(other.Heads), StringComparison.Ordinal);
        _ = SeeOutAsync(await other.NextTunnelAsync());
        Assert.Equal(101, HttpHead.Status(await ShakeAsync(balancer, lane, Sends(CookieOf(moved)))));
        Assert.Equal(2, other.Heads.Count);
        _ = SeeOutAsync(await other.NextTunnelAsync());
        Assert.False(ends[1 - told].IsCompleted);
    }

    private static LiveSettings Rebalancing(LiveSettings settings) => Impatient(settings)
        .With("Pools:chat:Rebalance:Rate", "1000")
        .With("Pools:chat:Rebalance:Tolerance", "0.1")
        .With("Pools:chat:Rebalance:MinimumIdle", "00:00:00")
        .With("Pools:chat:Rebalance:SettleTime", "00:00:00.5");

    private async Task ComeBackAsync(Balancer balancer, Lane lane, RawClient client)
    {
        await SeeOutAsync(client);
        if (!_isOver) await OpenAsync(balancer, lane, 1);
    }
}
