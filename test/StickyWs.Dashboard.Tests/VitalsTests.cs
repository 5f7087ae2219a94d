using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>How the process and its backends are doing, and whether whoever asks may steer them.</summary>
public sealed class VitalsTests : DashboardTest
{
    [Fact]
    public async Task The_process_says_what_moves_its_bytes_and_where_it_listens()
    {
        var host = await StartAsync();
        await OpenAsync(host, 2);

        var process = (await host.GetAsync("state")).Body["process"]!;

        Assert.Equal((Environment.ProcessId, host.Address.GetLeftPart(UriPartial.Authority)), ((int)process["processId"]!, (string)process["listeners"]![0]!));
        Assert.True((double)process["uptimeSeconds"]! > 0);
        var isRaw = OperatingSystem.IsLinux();
        Assert.Equal(isRaw, (bool)process["lanes"]!["raw"]!);
        Assert.Equal(isRaw, process["reactors"]!.AsArray().Sum(reactor => (int)reactor!["sockets"]!) >= 4);
        Assert.Equal(isRaw, (string?)process["lanes"]!["kind"] is "io_uring" or "epoll");
    }

    [Fact]
    public async Task A_backend_shows_its_probes_and_what_convicted_it()
    {
        var backend = await EchoBackend.StartAsync("a");
        var settings = Pool(backend.Address).With("Pools:chat:Health:Http:Interval", "00:00:01").With("Pools:chat:Health:Http:Path", "/");
        var host = Owned(await DashboardHost.StartAsync(settings));
        await Wait.UntilAsync(async () => (await BackendAsync(host))["probes"]!.AsArray().Count > 0);
        Assert.Null((await BackendAsync(host))["conviction"]);
        await backend.DisposeAsync();

        await Wait.UntilAsync(async () => (string)(await BackendAsync(host))["state"]! == "Unhealthy");

        var shown = await BackendAsync(host);
        var last = shown["probes"]!.AsArray()[^1]!;
        Assert.Equal(("Isolated", "probe", false), ((string)shown["breaker"]!, (string)shown["conviction"]!["by"]!, (bool)last["ok"]!));
        Assert.Equal((string)shown["cause"]!, (string)shown["conviction"]!["cause"]!);
        Assert.Contains((string)last["why"]!, (string)shown["cause"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_backend_did_in_the_last_minute_is_counted_from_the_first_look_on()
    {
        var host = Owned(await DashboardHost.StartAsync((await EchoPoolAsync()).With("Pools:chat:Affinity:Rules:0:ClientAddress:IPv4PrefixLength", "32")));
        await (await host.OpenTunnelAsync()).DisposeAsync();
        Assert.Equal(0, (int)(await BackendAsync(host))["recent"]!["opened"]!);
        await OpenAsync(host, 3);
        using var plain = await host.Client.GetAsync(new Uri("/", UriKind.Relative), Wait.Token());

        JsonNode recent = new JsonObject();
        await Wait.UntilAsync(async () => (int)(recent = (await BackendAsync(host))["recent"]!)["requests"]!["count"]! == 1);

        Assert.Equal((3, 3, 0), ((int)recent["opened"]!, (int)recent["handshakes"]!["count"]!, (int)recent["handshakes"]!["failed"]!));
        Assert.True((double)recent["handshakes"]!["p50"]! > 0 && (double)recent["handshakes"]!["p99"]! >= (double)recent["handshakes"]!["p50"]!);
        Assert.Equal(4, (int)recent["kept"]! + (int)recent["new"]! + (int)recent["moved"]!);
        var pool = (await host.GetAsync("state")).Body["pools"]![0]!;
        Assert.Equal(("ClientAddress", "Sniffed", 0), ((string)pool["affinity"]![0]!, (string)pool["webSockets"]!, (int)pool["handshakesWaiting"]!));
    }

    [Fact]
    public async Task A_tunnel_shows_its_lane_its_request_its_pin_and_its_rate()
    {
        var host = Owned(await DashboardHost.StartAsync((await EchoPoolAsync()).With("Pools:chat:Affinity:Rules:0:Query:Name", "room")));
        await using var client = await RawClient.ConnectAsync(host.Address);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat?room=secret"))));
        await Wait.UntilAsync(async () => (int)(await host.GetAsync("tunnels")).Body["open"]! == 1);

        var page = (await host.GetAsync("tunnels?host=EXAMPLE.test&path=/ch&tie=hashed&local=127.0.0.1")).Body;

        Assert.DoesNotContain("secret", page.ToJsonString(), StringComparison.Ordinal);
        var tunnel = page["tunnels"]![0]!;
        Assert.Equal(("/chat", "none", "Hashed", true), ((string)tunnel["path"]!, (string)tunnel["tls"]!, (string)tunnel["tie"]!, (bool)tunnel["frames"]!));
        Assert.Matches("^[0-9a-f]{8}$", (string)tunnel["pin"]!);
        Assert.Equal(1, (int)(await host.GetAsync("tunnels?pin=" + tunnel["pin"])).Body["fitting"]!);
        Assert.Equal(0, (int)(await host.GetAsync("tunnels?pin=" + Other((string)tunnel["pin"]!))).Body["fitting"]!);
        await Wait.UntilAsync(async () => (await host.GetAsync("tunnels?sort=fastest")).Body["tunnels"]![0]!["rateToBackend"] is not null);
        if ((string)tunnel["lane"]! != "raw") return;
        Assert.Equal(1, (int)(await host.GetAsync("tunnels?lane=" + tunnel["kind"])).Body["fitting"]!);
        var flow = Assert.Single((await host.GetAsync("flows")).Body["flows"]!.AsArray())!;
        Assert.Equal(($"127.0.0.1:{host.Address.Port}", "chat", "a", 1, (string)tunnel["kind"]!),
            ((string)flow["listener"]!, (string)flow["pool"]!, (string)flow["backend"]!, (int)flow["tunnels"]!, (string)flow["kind"]!));
    }

    [Fact]
    public async Task A_sample_shows_some_of_all_and_says_of_how_many()
    {
        var host = await StartAsync(backends: 2);
        await OpenAsync(host, 6);

        var first = (await host.GetAsync("tunnels?sample=3")).Body;
        var second = (await host.GetAsync("tunnels?sample=3")).Body;

        Assert.Equal((6, 6, 3), ((int)first["open"]!, (int)first["fitting"]!, (int)first["shown"]!));
        Assert.Equal(Ids(first), Ids(second));

        static IEnumerable<string> Ids(JsonNode page) => page["tunnels"]!.AsArray().Select(tunnel => (string)tunnel!["id"]!);
    }

    [Theory]
    [InlineData(null, true, null)]
    [InlineData("olga", true, null)]
    [InlineData("mallory", false, "policy")]
    public async Task The_state_says_whether_whoever_asks_may_steer(string? user, bool isAllowed, string? why)
    {
        var policy = user is null ? null : "ops";
        var host = await StartAsync(configure: options => options.SteerPolicy = policy);
        (string, string)[] headers = user is null ? [] : [("X-User", user)];

        var steering = (await host.GetAsync("state", headers)).Body["steering"]!;

        Assert.Equal((isAllowed, why), ((bool)steering["allowed"]!, (string?)steering["why"]));
        var posted = (await host.PostAsync("backends/chat/a:stop", headers)).Status;
        Assert.Equal(isAllowed, posted is HttpStatusCode.OK or HttpStatusCode.Accepted); // And it is true.
    }

    [Fact]
    public async Task The_state_says_that_nobody_may_steer()
    {
        var readOnly = await StartAsync(configure: options => options.ReadOnly = true);
        Assert.Equal("read-only", (string)(await readOnly.GetAsync("state")).Body["steering"]!["why"]!);

        var skipped = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: group => group.AllowAnonymous(),
            configure: options => options.SteerPolicy = "ops"));
        Assert.Equal("policy-skipped", (string)(await skipped.GetAsync("state", ("X-User", "olga"))).Body["steering"]!["why"]!);
    }

    private static async Task<JsonNode> BackendAsync(DashboardHost host) => (await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!;

    private static string Other(string pin) => (pin[0] == '0' ? '1' : '0') + pin[1..];
}
