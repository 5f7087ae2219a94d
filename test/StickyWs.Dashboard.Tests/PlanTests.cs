using System.Net;
using System.Text.Json.Nodes;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What an action would do is said before it does it. And weights.</summary>
public sealed class PlanTests : DashboardTest
{
    [Theory]
    [InlineData("stop", 0, 0, false)]
    [InlineData("drain", 3, 0, false)]
    [InlineData("cut", 0, 3, false)]
    [InlineData("undrain", 0, 0, false)]
    public async Task A_dry_run_says_who_would_be_hit_and_changes_nothing(string action, int told, int cut, bool leavesNone)
    {
        var host = await StartAsync(backends: 2);
        await OpenAsync(host, 6);

        var (status, answer) = await host.PostAsync($"backends/chat/a:{action}?dryRun=true");

        Assert.Equal((HttpStatusCode.OK, true), (status, (bool)answer["dryRun"]!));
        var plan = answer["plan"]!;
        Assert.Equal((1, 3, told, cut), ((int)plan["backends"]!, (int)plan["tunnels"]!, (int)plan["told"]!, (int)plan["cut"]!));
        Assert.Equal(leavesNone, plan["leavesNone"]!.AsArray().Count > 0);
        var backend = (await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!;
        Assert.Equal(("On", 3), ((string)backend["mode"]!, (int)backend["tunnels"]!));
        Assert.Empty(host.Audit);
    }

    [Fact]
    public async Task A_dry_run_of_a_whole_pool_says_that_nobody_would_be_left()
    {
        var host = await StartAsync(backends: 2);
        await host.PostAsync("backends/chat/b:stop");

        var plan = (await host.PostAsync("backends/chat/a:stop?dryRun=true")).Body["plan"]!;

        Assert.Equal("chat", (string)Assert.Single(plan["leavesNone"]!.AsArray())!);
        Assert.Equal("chat", (string)(await host.PostAsync("pools/chat:cut?dryRun=true")).Body["plan"]!["leavesNone"]![0]!);
        Assert.Empty((await host.PostAsync("pools/chat:undrain?dryRun=true")).Body["plan"]!["leavesNone"]!.AsArray());
    }

    // A backend that a reload has removed, or moved to another address, still holds its tunnels, and an order gets to it.
    [Fact]
    public async Task A_dry_run_counts_what_a_reload_has_left_behind_as_the_action_hits_it()
    {
        var settings = await EchoPoolAsync(2);
        var host = Owned(await DashboardHost.StartAsync(settings));
        var clients = await OpenAsync(host, 6);
        var elsewhere = Owned(await EchoBackend.StartAsync("c")).Address;
        settings.Change(data =>
        {
            data["StickyWs:Pools:chat:Backends:a:Address"] = elsewhere;
            data.Remove("StickyWs:Pools:chat:Backends:b:Address");
        });
        await Wait.UntilAsync(async () => (await host.GetAsync("state")).Body["pools"]![0]!["backends"]!.AsArray() is [{ } left]
            && (string)left["address"]! == elsewhere);

        Assert.Equal((1, 3, 3), await PlanAsync("backends/chat/b:cut"));
        Assert.Equal((2, 3, 3), await PlanAsync("backends/chat/a:cut"));
        Assert.Equal((3, 6, 6), await PlanAsync("pools/chat:cut"));
        Assert.Empty((await host.PostAsync("backends/chat/b:cut?dryRun=true")).Body["plan"]!["leavesNone"]!.AsArray());
        Assert.Equal("chat", (string)(await host.PostAsync("backends/chat/a:stop?dryRun=true")).Body["plan"]!["leavesNone"]![0]!);

        Assert.InRange((int)(await host.PostAsync("pools/chat:cut")).Status, 200, 202);
        foreach (var client in clients) await client.WaitForEndAsync(); // All that the plan had counted.

        async Task<(int Backends, int Tunnels, int Cut)> PlanAsync(string order)
        {
            var (status, answer) = await host.PostAsync(order + "?dryRun=true");
            Assert.Equal(HttpStatusCode.OK, status);
            var plan = answer["plan"]!;
            return ((int)plan["backends"]!, (int)plan["tunnels"]!, (int)plan["cut"]!);
        }
    }

    [Theory]
    [InlineData("backends/chat/a:stop?dryRun=perhaps", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/a:weight", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/a:weight?weight=0", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/a:weight?weight=257", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/a:weight?weight=2&until=empty", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/z:weight?weight=2", HttpStatusCode.NotFound)]
    [InlineData("tunnels/none:cut", HttpStatusCode.NotFound)]
    [InlineData("tunnels/none:explode", HttpStatusCode.NotFound)]
    [InlineData("tunnels/none:cut?when=now", HttpStatusCode.BadRequest)]
    public async Task A_mistake_is_refused_and_recorded(string path, HttpStatusCode expected)
    {
        var host = await StartAsync(backends: 2);

        Assert.Equal(expected, (await host.PostAsync(path)).Status);
        Assert.Equal("SteerRefused", Assert.Single(host.Audit).Event);
    }

    [Theory]
    [InlineData("backends/chat/z:stop?dryRun=true", HttpStatusCode.NotFound)]
    [InlineData("backends/chat/a:stop?dryRun=true&until=empty", HttpStatusCode.BadRequest)]
    [InlineData("backends/chat/a:explode?dryRun=true", HttpStatusCode.NotFound)]
    [InlineData("tunnels/none:goodbye?dryRun=true", HttpStatusCode.NotFound)]
    public async Task A_mistake_in_a_dry_run_attempts_nothing_and_is_not_recorded(string path, HttpStatusCode expected)
    {
        var host = await StartAsync(backends: 2);

        Assert.Equal(expected, (await host.PostAsync(path)).Status);
        Assert.Empty(host.Audit);
    }

    [Fact]
    public async Task A_weight_is_in_force_at_once_and_until_it_is_taken_back()
    {
        var host = await StartAsync(backends: 2);
        using var events = await host.ReadEventsAsync();
        await ToldAsync(events, "snapshot");

        var (status, answer) = await host.PostAsync("backends/chat/a:weight?weight=3");

        Assert.Equal((HttpStatusCode.OK, 3, 1, 3.0), (status, (int)answer["backends"]![0]!["weight"]!, (int)answer["backends"]![0]!["configuredWeight"]!,
            (double)answer["backends"]![0]!["effectiveWeight"]!));
        await OpenAsync(host, 8);
        var backends = (await host.GetAsync("state")).Body["pools"]![0]!["backends"]!;
        Assert.Equal((6, 2), ((int)backends[0]!["tunnels"]!, (int)backends[1]!["tunnels"]!));
        Assert.Equal(1, (int)(await host.PostAsync("backends/chat/a:weight?weight=configured")).Body["backends"]![0]!["weight"]!);
        Assert.Equal(["its weight is 3", "its weight is what the configuration says"], host.Audit.Select(line => line.Text.Split(": ")[^1]));
        var told = await ToldAsync(events, "backend");
        Assert.Equal(3, (int)told["backend"]!["weight"]!);
    }

    [Fact]
    public async Task A_weight_counts_for_a_pool_and_by_names_and_dry_it_changes_nothing()
    {
        var host = await StartAsync(backends: 2);

        Assert.Equal("4 4", Weights((await host.PostAsync("pools/chat:weight?weight=4")).Body));
        Assert.Equal("9", Weights((await host.PostAsync("backends:weight?pool=chat&backend=b&weight=9")).Body));
        Assert.Equal("4 9", Weights((await host.PostAsync("pools/chat:weight?weight=7&dryRun=true")).Body));
    }

    [Fact]
    public async Task A_tunnel_is_cut_after_a_dry_run_that_shows_it()
    {
        var host = await StartAsync();
        await using var client = await host.OpenTunnelAsync();
        await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == 1);
        var id = Uri.EscapeDataString((string)(await host.GetAsync("tunnels")).Body["tunnels"]![0]!["id"]!);

        var (status, dry) = await host.PostAsync($"tunnels/{id}:cut?dryRun=true");
        Assert.Equal((HttpStatusCode.OK, "cut", "a"), (status, (string)dry["action"]!, (string)dry["tunnel"]!["backend"]!));
        Assert.Equal(1, (int)(await host.GetAsync("tunnels")).Body["open"]!);
        Assert.Empty(host.Audit);

        Assert.Equal(HttpStatusCode.Accepted, (await host.PostAsync($"tunnels/{id}:cut")).Status);
        await client.WaitForEndAsync();
        JsonNode ends = new JsonObject();
        await Wait.UntilAsync(async () => (int)(ends = (await host.GetAsync("ends")).Body)["kept"]! == 1);
        Assert.Equal("Cut", (string)ends["ends"]![0]!["reason"]!);
        Assert.EndsWith(": aborted", Assert.Single(host.Audit).Text, StringComparison.Ordinal);
    }

    private static string Weights(JsonNode answer) => string.Join(' ', answer["backends"]!.AsArray().Select(backend => (int)backend!["weight"]!));

    private static async Task<JsonNode> ToldAsync(StreamReader events, string name)
    {
        var bound = Wait.Token();
        while (await events.ReadLineAsync(bound) is { } line)
        {
            if (line == "event: " + name) return JsonNode.Parse((await events.ReadLineAsync(bound))!["data: ".Length..])!;
        }

        throw new EndOfStreamException();
    }
}
