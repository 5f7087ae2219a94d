using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Hosting;

public sealed class ReloadTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_change_ends_no_tunnel_and_fails_no_request(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        await using var tunnelBackend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backends[0].Address, backends[1].Address).WithPool("tunnels", tunnelBackend.Address).With("Pools:tunnels:Match:PathPrefixes:0", "/t"));
        var tunnels = new List<(RawClient Client, Wire Server)>();
        for (var i = 0; i < 50; i++)
        {
            var client = await ConnectAsync(balancer, lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/t"))));
            tunnels.Add((client, await tunnelBackend.NextTunnelAsync()));
        }

        using var stop = new CancellationTokenSource();
        var answers = new ConcurrentBag<string>();
        var flying = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => FlyAsync(balancer, answers, stop.Token)));
        Action<IDictionary<string, string?>>[] edits =
        [
            data => data["StickyWs:Pools:chat:Backends:c:Address"] = backends[2].Address,
            data => data["StickyWs:Pools:chat:Backends:a:Weight"] = "3",
            data => data.Remove("StickyWs:Pools:chat:Backends:b:Address"),
            data => data["StickyWs:Pools:more:Backends:x:Address"] = backends[1].Address,
            data => Remove(data, "StickyWs:Pools:tunnels:"),
        ];
        foreach (var edit in edits)
        {
            var before = answers.Count;
            balancer.Settings.Change(edit);
            await Wait.UntilAsync(() => answers.Count > before + 100);
        }

        await stop.CancelAsync();
        await flying;
        Assert.Superset(new HashSet<string> { "a", "b", "c" }, answers.ToHashSet());
        Assert.Equal(["a", "b", "c"], answers.Distinct().Order());
        Assert.Equal(50, balancer.OpenTunnels);
        foreach (var (client, server) in tunnels)
        {
            await client.WriteAsync("here");
            Assert.Equal("here", await server.ReadTextAsync(4));
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task An_invalid_change_is_refused_whole_with_one_line_and_a_valid_one_follows(Lane lane)
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, backends[0].Address);

        balancer.Settings.Change(data =>
        {
            data["StickyWs:Pools:chat:Backends:a:Address"] = backends[1].Address;
            data["StickyWs:Pools:chat:Backends:a:Weight"] = "1000";
        });

        var line = Assert.Single(balancer.Log.Lines, line => line.Event == "ConfigurationRefused");
        Assert.Contains("StickyWs:Pools:chat:Backends:a:Weight", line.Text, StringComparison.Ordinal);
        Assert.Equal("a", await GetAsync(balancer));
        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Weight"] = "2");
        Assert.Equal("b", await GetAsync(balancer));
        Assert.Single(balancer.Log.Lines, line => line.Event == "ConfigurationRefused");
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_policy_of_the_applications_own_is_found_by_its_name(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        var settings = Pool([.. backends.Select(backend => backend.Address)]).With("Pools:chat:Policy", "alwayslast");
        var balancer = Owned(Balancer.Start(lane, settings, builder => builder.ConfigureServices(services => services.AddSingleton<ILoadBalancingPolicy, AlwaysLast>())));

        for (var i = 0; i < 3; i++) Assert.Equal("c", await GetAsync(balancer));
        for (var i = 0; i < 3; i++) Assert.Equal(101, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
        await Wait.UntilAsync(() => backends[2].WebSockets == 3);
    }

    private static async Task FlyAsync(Balancer balancer, ConcurrentBag<string> answers, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = balancer.Address };
        while (!stop.IsCancellationRequested) answers.Add(await client.GetStringAsync("/", CancellationToken.None));
    }

    private static async Task<string> GetAsync(Balancer balancer)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(balancer.Address);
    }

    private static void Remove(IDictionary<string, string?> data, string prefix)
    {
        foreach (var key in data.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).ToList()) data.Remove(key);
    }

    private sealed class AlwaysLast : ILoadBalancingPolicy
    {
        public string Name => "AlwaysLast";

        public int Pick(BackendSet candidates, uint turn) => candidates.Count - 1;
    }
}
