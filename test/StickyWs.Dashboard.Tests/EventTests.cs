using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What happens is told as it happens, to as many as read.</summary>
public sealed class EventTests : DashboardTest
{
    [Fact]
    public async Task A_stream_begins_with_a_snapshot_and_tells_of_tunnels_and_drains()
    {
        var host = await StartAsync();
        using var events = await host.ReadEventsAsync();
        Assert.Equal(0, (int)(await NextAsync(events, "snapshot"))["state"]!["tunnels"]!);

        var client = Owned(await host.OpenTunnelAsync());
        var opened = await NextAsync(events, "tunnel-opened");
        await host.PostAsync("backends/chat/a:cut");
        var next = await NextOfEachAsync(events, "backend", "tunnel-ended", "drained");
        var (backend, ended) = (next["backend"], next["tunnel-ended"]);
        await SeeOutAsync(client);

        Assert.Equal("Cut", (string)backend["backend"]!["mode"]!);
        Assert.Equal(((string)opened["tunnel"]!["id"]!, "Cut"), ((string)ended["tunnel"]!["id"]!, (string)ended["reason"]!));
        Assert.Equal("Cut", (string)next["drained"]["drain"]!["outcome"]!);
    }

    [Fact]
    public async Task Refusals_are_told_with_their_cause_to_those_who_want_to_hear_of_them()
    {
        var host = Owned(await DashboardHost.StartAsync(Pool("http://127.0.0.1:1")));
        using var events = await host.ReadEventsAsync();
        using var quiet = await host.ReadEventsAsync("?refusals=false&tunnels=false");
        await NextAsync(events, "snapshot");
        await NextAsync(quiet, "snapshot");
        await using var client = await RawClient.ConnectAsync(host.Address);
        Assert.Equal(502, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat?token=secret"))));

        var refusal = (await NextAsync(events, "refused"))["refusal"]!;
        await host.PostAsync("backends/chat/a:stop");

        Assert.Equal(("Unreachable", 502, "/chat", "a"),
            ((string)refusal["cause"]!, (int)refusal["status"]!, (string)refusal["path"]!, (string)refusal["backend"]!));
        Assert.Equal("event: backend", await LineAsync(quiet, "event: ")); // And no refusal before it.
    }

    // Nothing is kept for it, and it is not pretended to.
    [Fact]
    public async Task Whoever_comes_back_gets_a_fresh_snapshot()
    {
        var host = await StartAsync();
        await OpenAsync(host, 2);

        using var events = await host.ReadEventsAsync("", ("Last-Event-ID", "7"));

        Assert.Equal(2, (int)(await NextAsync(events, "snapshot"))["state"]!["tunnels"]!);
    }

    [Fact]
    public async Task Without_tunnels_a_stream_tells_of_backends_only()
    {
        var host = await StartAsync();
        using var events = await host.ReadEventsAsync("?tunnels=false");
        await NextAsync(events, "snapshot");
        await OpenAsync(host, 3);

        await host.PostAsync("backends/chat/a:stop");

        Assert.Equal("event: backend", await LineAsync(events, "event: ")); // And no tunnel before it.
    }

    [Fact]
    public async Task A_second_stream_that_comes_later_begins_with_a_snapshot_too()
    {
        var host = await StartAsync();
        using var first = await host.ReadEventsAsync();
        await NextAsync(first, "snapshot");
        await OpenAsync(host, 1);
        await NextAsync(first, "tunnel-opened");

        using var second = await host.ReadEventsAsync();

        Assert.Equal(1, (int)(await NextAsync(second, "snapshot"))["state"]!["tunnels"]!);
    }

    [Fact]
    public async Task A_thousand_streams_are_served_and_leave_nothing_behind()
    {
        const int count = 1000;
        var watched = new WatchedState();
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), services => services.AddSingleton<IStickyWsState>(watched),
            configure: options => options.MaxEventStreams = count));
        watched.Inner = host.Services.GetServices<IStickyWsState>().First(state => state != watched);
        var clients = new RawClient[count];
        for (var i = 0; i < count; i++)
        {
            clients[i] = Owned(await RawClient.ConnectAsync(host.Address));
            Assert.Equal(200, HttpHead.Status(await clients[i].AskAsync("GET /stickyws/events HTTP/1.1\r\nHost: localhost\r\n\r\n")));
        }

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "busy"), ((await host.GetAsync("events")).Status, Kind((await host.GetAsync("events")).Body)));
        Assert.Equal(1, watched.Watches); // One for all.
        foreach (var client in clients) await client.DisposeAsync();
        await Wait.UntilAsync(() => watched.Watches == 0);
        using var another = await host.ReadEventsAsync();
        await NextAsync(another, "snapshot");
        Assert.Equal(1, watched.Watches);
        Assert.DoesNotContain(host.Log.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_reader_that_never_reads_is_cut_off()
    {
        var watched = new WatchedState();
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), services => services.AddSingleton<IStickyWsState>(watched)));
        await using var client = await RawClient.ConnectAsync(host.Address, socket => socket.ReceiveBufferSize = 4096);
        await client.WriteAsync("GET /stickyws/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await Wait.UntilAsync(() => watched.Watches == 1);

        await Wait.UntilAsync(() =>
        {
            for (var i = 0; i < 500; i++) watched.Tell(EventHubTests.Opened(i));
            return watched.Watches == 0;
        });

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state")).Status);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_streams()
    {
        var host = await StartAsync();
        using var events = await host.ReadEventsAsync();
        await NextAsync(events, "snapshot");

        host.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication();

        Assert.DoesNotContain("event:", await events.ReadToEndAsync(Wait.Token()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?tunnels=perhaps", "tunnels")]
    [InlineData("?pool=chat", "pool")]
    public async Task A_bad_parameter_is_named(string query, string parameter)
        => Assert.Equal(parameter, (string)(await (await StartAsync()).GetAsync("events" + query)).Body["parameter"]!);

    private static async Task<JsonNode> NextAsync(StreamReader events, string name)
    {
        var bound = Wait.Token();
        while (await LineAsync(events, "event: ", bound) != "event: " + name)
        {
            // Others may come in between.
        }

        return JsonNode.Parse((await LineAsync(events, "data: "))["data: ".Length..])!;
    }

    // In any order.
    private static async Task<Dictionary<string, JsonNode>> NextOfEachAsync(StreamReader events, params string[] names)
    {
        var (found, bound) = (new Dictionary<string, JsonNode>(), Wait.Token());
        while (found.Count < names.Length)
        {
            var name = (await LineAsync(events, "event: ", bound))["event: ".Length..];
            if (names.Contains(name)) found.TryAdd(name, JsonNode.Parse((await LineAsync(events, "data: "))["data: ".Length..])!);
        }

        return found;
    }

    // One bound for all lines: heartbeats come for ever.
    private static async Task<string> LineAsync(StreamReader events, string start, CancellationToken bound = default)
    {
        if (bound == default) bound = Wait.Token();
        while (true)
        {
            var line = await events.ReadLineAsync(bound) ?? throw new EndOfStreamException();
            if (line.StartsWith(start, StringComparison.Ordinal)) return line;
        }
    }
}
