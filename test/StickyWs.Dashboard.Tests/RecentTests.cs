using System.Net;
using System.Text.Json.Nodes;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What has ended, and what was refused: found when somebody asks afterwards.</summary>
public sealed class RecentTests : DashboardTest
{
    // "A user says that his chat broke": he was there before anybody looked.
    [Fact]
    public async Task A_tunnel_that_ended_before_anybody_looked_is_found_with_its_reason_and_close_code()
    {
        await using var backend = RawBackend.Opening();
        var host = Owned(await DashboardHost.StartAsync(Pool(backend.Address)));
        await using var client = await host.OpenTunnelAsync();
        await using var peer = await backend.NextTunnelAsync();
        var (local, upstream) = (LocalOf(client), peer.Socket.RemoteEndPoint!.ToString());
        await client.WriteAsync(new byte[] { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE9 }); // A Close of 1001, masked by zeros.
        await client.DisposeAsync();
        await peer.ReadToEndAsync(); // The client's end has passed before the backend ends.
        await peer.DisposeAsync();
        await Wait.UntilAsync(() => host.Log.Lines.Any(line => line.Event == "TunnelLine"));

        var answer = (await host.GetAsync("ends?client=" + local)).Body;

        Assert.Equal((1, 1, 1), ((int)answer["kept"]!, (int)answer["fitting"]!, (int)answer["shown"]!));
        var end = answer["ends"]![0]!;
        Assert.Equal("chat a ClientClosed 1001", $"{end["pool"]} {end["backend"]} {end["reason"]} {end["clientCloseCode"]}");
        Assert.Equal((local, upstream), ((string)end["client"]!["source"]!, (string)end["upstream"]!["source"]!));
        Assert.Equal("/", (string)end["path"]!);
        Assert.True(DateTimeOffset.Parse((string)end["openedAt"]!, null) <= DateTimeOffset.Parse((string)end["at"]!, null));
        Assert.Equal(1, (int)(await host.GetAsync($"ends?upstream={upstream}&reason=clientclosed&pool=CHAT")).Body["fitting"]!);
        foreach (var other in new[] { "reason=BackendClosed", "minAge=1d", "path=/x", "backend=b", "client=10.0.0.0/8", "lane=portable&id=none" })
            Assert.Equal(0, (int)(await host.GetAsync("ends?" + other)).Body["fitting"]!);
    }

    // Without lines, what was open before the first look has no path, and is told of all the same.
    [Fact]
    public async Task Without_the_access_log_ends_are_kept_from_the_first_look_on()
    {
        var host = Owned(await DashboardHost.StartAsync((await EchoPoolAsync()).With("AccessLog:Tunnels", "false")));
        var early = await host.OpenTunnelAsync();
        Assert.Equal(0, (int)(await host.GetAsync("ends")).Body["kept"]!);
        var late = await host.OpenTunnelAsync();
        await early.DisposeAsync();
        await late.DisposeAsync();

        JsonArray ends = [];
        await Wait.UntilAsync(async () => (ends = (await host.GetAsync("ends")).Body["ends"]!.AsArray()).Count == 2);

        Assert.Equal([false, true], ends.Select(end => end!["path"] is not null).Order());
        Assert.DoesNotContain(host.Log.Lines, line => line.Category == "StickyWs.Access");
    }

    [Fact]
    public async Task What_was_refused_is_found_with_its_cause_and_never_with_its_query()
    {
        var host = Owned(await DashboardHost.StartAsync(Pool("http://127.0.0.1:1")));
        Assert.Equal(0, (int)(await host.GetAsync("refusals")).Body["kept"]!);
        await using var client = await RawClient.ConnectAsync(host.Address);
        Assert.Equal(502, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat/<b>?token=secret"))));
        using var plain = await host.Client.GetAsync(new Uri("/page?token=secret", UriKind.Relative), Wait.Token());
        Assert.Equal(HttpStatusCode.BadGateway, plain.StatusCode);

        JsonNode answer = new JsonObject();
        await Wait.UntilAsync(async () => (int)(answer = (await host.GetAsync("refusals")).Body)["kept"]! == 2);

        Assert.DoesNotContain("secret", answer.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["handshake Unreachable 502 /chat/<b>", "request NotConnected 502 /page"], answer["refusals"]!.AsArray()
            .Select(one => $"{one!["kind"]} {one["cause"]} {one["status"]} {one["path"]}").Order(StringComparer.Ordinal));
        Assert.Equal(1, (int)(await host.GetAsync("refusals?kind=handshake&status=502&cause=unreachable&path=/chat&client=127.0.0.1")).Body["fitting"]!);
        Assert.Equal(0, (int)(await host.GetAsync("refusals?status=503")).Body["fitting"]!);
        Assert.Equal(1, (int)(await host.GetAsync("refusals?lane=HTTP")).Body["fitting"]!);
        var backend = (await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!;
        Assert.Equal((1, 1, 0), ((int)backend["recent"]!["handshakes"]!["failed"]!, (int)backend["recent"]!["requests"]!["failed"]!,
            (int)backend["recent"]!["requests"]!["count"]!));
    }

    [Theory]
    [InlineData("ends?reason=Tired", "reason")]
    [InlineData("ends?limit=1001", "limit")]
    [InlineData("ends?status=500", "status")]
    [InlineData("ends?lane=tls", "lane")]
    [InlineData("ends?lane=http", "lane")]
    [InlineData("refusals?lane=epoll", "lane")]
    [InlineData("ends?upstream=10.0.0.1", "upstream")]
    [InlineData("refusals?kind=other", "kind")]
    [InlineData("refusals?status=99", "status")]
    [InlineData("refusals?client=nobody", "client")]
    [InlineData("flows?limit=5", "limit")]
    [InlineData("tunnels?pin=abc", "pin")]
    [InlineData("tunnels?pin=secret", "pin")]
    [InlineData("tunnels?sample=0", "sample")]
    [InlineData("tunnels?sample=10&limit=5", "limit")]
    [InlineData("tunnels?sample=10&sort=oldest", "sort")]
    [InlineData("tunnels?lane=fast", "lane")]
    [InlineData("tunnels?local=:99999", "local")]
    [InlineData("tunnels?minRate=-1", "minRate")]
    [InlineData("tunnels?reverse=perhaps", "reverse")]
    public async Task A_bad_parameter_is_named(string path, string parameter)
    {
        var (status, problem) = await (await StartAsync()).GetAsync(path);

        Assert.Equal((HttpStatusCode.BadRequest, parameter), (status, (string)problem["parameter"]!));
    }

    private static string LocalOf(RawClient client)
        => client.Socket.LocalEndPoint!.ToString()!.Replace("[::ffff:", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
}
