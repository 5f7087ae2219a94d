using System.Collections.Concurrent;
using System.Net;
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
        var balancer = Start(lane, Pool(backends[0].Address, backends[1].Address).WithPool("tunnels", tunnelBackend.Address)
            .With("Pools:tunnels:Match:PathPrefixes:0", "/t"));
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
        var balancer = Owned(Balancer.Start(lane, settings,
            builder => builder.ConfigureServices(services => services.AddSingleton<ILoadBalancingPolicy, AlwaysLast>())));

        for (var i = 0; i < 3; i++) Assert.Equal("c", await GetAsync(balancer));
        for (var i = 0; i < 3; i++) Assert.Equal(101, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
        await Wait.UntilAsync(() => backends[2].WebSockets == 3);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_change_that_replaces_every_backend_loses_no_request_and_no_handshake(Lane lane)
    {
        var backends = await StartEchoesAsync(4);
        var balancer = Start(lane, Probed("chat", backends[0].Address, backends[1].Address));
        using var stop = new CancellationTokenSource();
        var answers = new ConcurrentBag<string>();
        var statuses = new ConcurrentBag<int>();
        var flying = Task.WhenAll(FlyAsync(balancer, answers, stop.Token), FlyAsync(balancer, answers, stop.Token),
            ShakeAsync(balancer, lane, statuses, stop.Token));

        // Other addresses; other names; another pool; disabled instead of removed; back again.
        await ChangeAsync("c", data =>
        {
            data["StickyWs:Pools:chat:Backends:a:Address"] = backends[2].Address;
            data["StickyWs:Pools:chat:Backends:b:Address"] = backends[2].Address;
        });
        await ChangeAsync("d", data =>
        {
            Remove(data, "StickyWs:Pools:chat:Backends:");
            data["StickyWs:Pools:chat:Backends:x:Address"] = backends[3].Address;
        });
        await ChangeAsync("a", data =>
        {
            Remove(data, "StickyWs:Pools:");
            data["StickyWs:Pools:talk:Backends:a:Address"] = backends[0].Address;
            data["StickyWs:Pools:talk:Health:WebSocket:Interval"] = "00:00:05";
        });
        await ChangeAsync("b", data =>
        {
            data["StickyWs:Pools:talk:Backends:a:Enabled"] = "false";
            data["StickyWs:Pools:talk:Backends:b:Address"] = backends[1].Address;
        });
        await ChangeAsync("a", data =>
        {
            data["StickyWs:Pools:talk:Backends:a:Enabled"] = "true";
            data["StickyWs:Pools:talk:Backends:b:Enabled"] = "false";
        });

        await stop.CancelAsync();
        await flying;
        Assert.All(statuses, status => Assert.Equal(101, status));

        async Task ChangeAsync(string name, Action<IDictionary<string, string?>> edit)
        {
            balancer.Settings.Change(edit);
            await Wait.UntilAsync(async () => await GetAsync(balancer) == name && balancer.Registry.Current.Before is null);
            var before = (answers.Count, statuses.Count);
            await Wait.UntilAsync(() => answers.Count > before.Item1 + 20 && statuses.Count > before.Item2 + 5);
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task New_backends_that_are_all_dead_are_what_the_configuration_says_and_the_log_says_so(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, Probed("chat", backends[0].Address).With("Pools:chat:Health:Http:Interval", "00:00:00.1"));

        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Address"] = "http://127.0.0.1:1");
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "NewBackendsUnhealthy"));

        using var client = TrustingClient();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(balancer.Address)).StatusCode);
        Assert.Equal(503, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
        Assert.Single(balancer.Log.Lines, line => line.Event == "FirstProbeFailed");
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_backend_that_is_drained_and_undrained_is_used_at_once(Lane lane)
    {
        var backends = await StartEchoesAsync(1);
        var balancer = Start(lane, Probed("chat", backends[0].Address));

        for (var i = 0; i < 20; i++)
        {
            balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Enabled"] = "false");
            balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Enabled"] = "true");
            Assert.Equal("a", await GetAsync(balancer));
            Assert.Equal(101, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task The_first_dial_that_fails_is_one_warning_by_request_and_by_handshake(Lane lane)
    {
        foreach (var isHandshake in (bool[])[false, true])
        {
            var balancer = Start(lane, Pool("http://127.0.0.1:1"));
            using var client = TrustingClient();
            for (var i = 0; i < 3; i++)
            {
                if (isHandshake) Assert.Equal(502, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
                else Assert.Equal(HttpStatusCode.BadGateway, (await client.GetAsync(balancer.Address)).StatusCode);
            }

            Assert.Contains("chat/a at http://127.0.0.1:1/", Assert.Single(balancer.Log.Lines, line => line.Event == "BackendUnreachable").Text,
                StringComparison.Ordinal);
        }
    }

    private static LiveSettings Probed(string pool, params string[] addresses)
        => new LiveSettings().WithPool(pool, addresses).With($"Pools:{pool}:Health:Http:Path", "/");

    private static async Task ShakeAsync(Balancer balancer, Lane lane, ConcurrentBag<int> statuses, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await using var client = await balancer.ConnectAsync(lane);
            statuses.Add(HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }
    }

    private static async Task FlyAsync(Balancer balancer, ConcurrentBag<string> answers, CancellationToken stop)
    {
        using var client = TrustingClient(balancer.Address);
        while (!stop.IsCancellationRequested) answers.Add(await client.GetStringAsync("/", CancellationToken.None));
    }

    private static async Task<string> GetAsync(Balancer balancer)
    {
        using var client = TrustingClient();
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
