using System.Net;
using System.Text.Json.Nodes;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>State and tunnels: as the sockets have them, found by what an operator knows of them.</summary>
public sealed class TunnelTests : DashboardTest
{
    [Fact]
    public async Task State_shows_pools_and_backends_and_markup_stays_text()
    {
        const string evil = "<script>alert('x')</script>\"&";
        var settings = await EchoPoolAsync();
        settings.With($"Pools:{evil}:Backends:{evil}:Address", "http://127.0.0.1:1").With($"Pools:{evil}:Match:Hosts:0", "evil.example");
        var host = Owned(await DashboardHost.StartAsync(settings));

        var text = await host.Client.GetStringAsync(new Uri("/stickyws/state", UriKind.Relative), Wait.Token());

        Assert.DoesNotContain('<', text);
        var pools = JsonNode.Parse(text)!["pools"]!.AsArray();
        Assert.Equal(["chat", evil], pools.Select(pool => (string)pool!["name"]!).Order(StringComparer.Ordinal).Reverse());
        var chat = pools.Single(pool => (string)pool!["name"]! == "chat")!;
        Assert.Equal(("RoundRobin", "a", "On", 1), ((string)chat["policy"]!, (string)chat["backends"]![0]!["name"]!,
            (string)chat["backends"]![0]!["mode"]!, (int)chat["backends"]![0]!["weight"]!));
    }

    [Fact]
    public async Task A_tunnel_is_shown_with_its_true_tuples_and_found_by_each_of_them()
    {
        await using var backend = RawBackend.Opening();
        var host = Owned(await DashboardHost.StartAsync(Pool(backend.Address)));
        await using var other = await host.OpenTunnelAsync();
        await using var client = await host.OpenTunnelAsync();
        await using var first = await backend.NextTunnelAsync();
        await using var second = await backend.NextTunnelAsync();
        var local = client.Socket.LocalEndPoint!.ToString()!.Replace("[::ffff:", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == 2);

        var page = (await host.GetAsync("tunnels?client=" + local)).Body;

        Assert.Equal((2, 1, 1), ((int)page["open"]!, (int)page["fitting"]!, (int)page["shown"]!));
        var tunnel = page["tunnels"]![0]!;
        Assert.Equal((local, $"127.0.0.1:{host.Address.Port}"), ((string)tunnel["client"]!["source"]!, (string)tunnel["client"]!["destination"]!));
        var upstream = (string)tunnel["upstream"]!["source"]!;
        Assert.Contains(upstream, new[] { first.Socket.RemoteEndPoint!.ToString(), second.Socket.RemoteEndPoint!.ToString() });
        Assert.Equal($"127.0.0.1:{backend.Port}", (string)tunnel["upstream"]!["destination"]!);
        Assert.Equal((string)tunnel["id"]!, (string)Assert.Single((await host.GetAsync("tunnels?upstream=" + upstream)).Body["tunnels"]!.AsArray())!["id"]!);
        Assert.Equal(local, (string)(await host.GetAsync("tunnels/" + Uri.EscapeDataString((string)tunnel["id"]!))).Body["client"]!["source"]!);
    }

    [Theory]
    [InlineData("client=127.0.0.0/8", 6)]
    [InlineData("client=127.0.0.1", 6)]
    [InlineData("client=::ffff:127.0.0.1", 6)]
    [InlineData("client=10.0.0.0/8", 0)]
    [InlineData("client=127.9.9.9/8", 6)]
    [InlineData("client=127.0.0.1:1", 0)]
    [InlineData("pool=CHAT&backend=B", 3)]
    [InlineData("pool=other", 0)]
    [InlineData("backend=%3Cb%3E", 0)]
    [InlineData("minAge=1d", 0)]
    [InlineData("minIdle=1.5h", 0)]
    [InlineData("minAge=0&minIdle=0s", 6)]
    [InlineData("upstream=127.0.0.1:1", 0)]
    public async Task Filters_find_what_fits(string query, int expected)
    {
        var host = await StartAsync(backends: 2);
        await OpenAsync(host, 6);

        var page = (await host.GetAsync("tunnels?" + query)).Body;

        Assert.Equal((6, expected, expected), ((int)page["open"]!, (int)page["fitting"]!, page["tunnels"]!.AsArray().Count));
    }

    [Theory]
    [InlineData("oldest")]
    [InlineData("newest")]
    public async Task Pages_hold_each_tunnel_once_though_some_end_in_between(string sort)
    {
        var host = await StartAsync();
        var clients = await OpenAsync(host, 25);
        List<string> seen = [];
        string? next = null;
        do
        {
            var page = (await host.GetAsync($"tunnels?sort={sort}&limit=4{(next is null ? "" : "&after=" + next)}")).Body;
            seen.AddRange(page["tunnels"]!.AsArray().Select(tunnel => (string)tunnel!["id"]!));
            Assert.InRange((int)page["shown"]!, 1, 4);
            if (seen.Count == 8) // The oldest and the newest are gone: what was shown, or is yet to come.
            {
                await clients[sort == "oldest" ? 0 : 24].DisposeAsync();
                await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == 24);
            }

            next = (string?)page["next"];
        }
        while (next is not null);

        Assert.Equal((25, 25), (seen.Count, seen.Distinct().Count()));
    }

    [Fact]
    public async Task The_busiest_comes_first()
    {
        var host = await StartAsync();
        var clients = await OpenAsync(host, 5);
        await clients[3].WriteAsync("\u0082\u0085\0\0\0\0hello");
        await clients[3].ReadExactlyAsync(7);
        var local = clients[3].Socket.LocalEndPoint as IPEndPoint;

        await Wait.UntilAsync(async () => ((string)(await host.GetAsync("tunnels?sort=busiest&limit=1")).Body["tunnels"]![0]!["client"]!["source"]!)
            .EndsWith(":" + local!.Port, StringComparison.Ordinal));
        var idle = (await host.GetAsync("tunnels?sort=idlest")).Body["tunnels"]!.AsArray();
        Assert.Equal(5, idle.Count);
        Assert.All(idle, tunnel => Assert.InRange((double)tunnel!["idleSeconds"]!, 0, 60));
    }

    [Theory]
    [InlineData("client=nobody", "client")]
    [InlineData("client=10.0.0.0/99", "client")]
    [InlineData("upstream=10.0.0.1", "upstream")]
    [InlineData("minAge=-1", "minAge")]
    [InlineData("minAge=soon", "minAge")]
    [InlineData("minIdle=1e400", "minIdle")]
    [InlineData("minIdle=NaN", "minIdle")]
    [InlineData("minIdle=99999999999999999999d", "minIdle")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=99999999999999999999", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("sort=%3Cscript%3E", "sort")]
    [InlineData("after=x", "after")]
    [InlineData("after=%00", "after")]
    [InlineData("after=eHh4", "after")]
    [InlineData("minage2=1", "minage2")]
    [InlineData("pool=a&pool=b", "pool")]
    [InlineData("%3Cb%3E=1", "<b>")]
    public async Task A_bad_parameter_is_named_with_its_value_and_a_remedy(string query, string parameter)
    {
        var (status, problem) = await (await StartAsync()).GetAsync("tunnels?" + query);

        Assert.Equal((HttpStatusCode.BadRequest, "bad-parameter", parameter), (status, Kind(problem), (string)problem["parameter"]!));
        Assert.Contains("use", (string)problem["detail"]! + (query.StartsWith("pool", StringComparison.Ordinal) ? "use" : ""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_huge_parameter_is_not_given_back_whole()
    {
        var (status, problem) = await (await StartAsync()).GetAsync("tunnels?sort=" + new string('x', 7000));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.InRange(problem.ToJsonString().Length, 200, 1000);
    }

    [Fact]
    public async Task Told_to_go_a_tunnel_gets_its_Close_and_the_others_stay()
    {
        var host = await StartAsync();
        var clients = await OpenAsync(host, 3);
        var port = ((IPEndPoint)clients[1].Socket.LocalEndPoint!).Port;
        var id = (string)(await host.GetAsync($"tunnels?client=127.0.0.1:{port}")).Body["tunnels"]![0]!["id"]!;

        var (status, told) = await host.PostAsync($"tunnels/{Uri.EscapeDataString(id)}:goodbye");

        Assert.Equal((HttpStatusCode.Accepted, id), (status, (string)told["id"]!));
        Assert.Equal("\u0088", await clients[1].ReadTextAsync(1));
        await SeeOutAsync(clients[1]);
        await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == 2);
        Assert.Contains($"goodbye tunnel {id} at ", Assert.Single(host.Audit).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await host.PostAsync($"tunnels/{Uri.EscapeDataString(id)}:goodbye")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync($"tunnels/{Uri.EscapeDataString(id)}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.PostAsync("tunnels/x:kill")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.PostAsync("tunnels/x:goodbye?all=true")).Status);
    }
}
