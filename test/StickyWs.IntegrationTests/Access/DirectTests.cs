using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Access;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>What is told of requests that stay on their reactor: lines, metrics and traces, as of those in the pipeline.</summary>
public sealed class DirectTests : BalancerTest
{
    private const string ClientSpan = "00f067aa0ba902b7";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    public static TheoryData<Lane> ReactorLanes { get; } = new(Lane.Raw, Lane.RawEpoll);

    [Theory]
    [MemberData(nameof(ReactorLanes))]
    public async Task A_request_has_a_line_that_tells_all_of_it(Lane lane)
    {
        var backend = Owned(RawBackend.Answering(static _ => Ok));
        var balancer = Start(lane, Direct(backend.Address).With("TrustedProxies:0", "127.0.0.1"));
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync("POST /chat/room?token=secret HTTP/1.1\r\nHost: example.test\r\nContent-Length: 3\r\nCookie: a=secret\r\n"
            + $"X-Forwarded-For: 203.0.113.9\r\ntraceparent: 00-{trace}-{ClientSpan}-01\r\n\r\nabc");
        Assert.Equal(200, HttpHead.Status(await client.ReadHeadAsync()));

        var line = await AccessLines.OnlyAsync(balancer);
        Assert.Equal(("RequestLine", "chat", "a", "http", "Policy", (object?)null),
            (line.Event, line.Fields["Pool"], line.Fields["Backend"], line.Fields["Lane"], line.Fields["ChosenBy"], line.Fields["Pin"]));
        Assert.Equal((200, 3L, 2L, (object?)null),
            (line.Fields["Status"], line.Fields["BytesToBackend"], line.Fields["BytesToClient"], line.Fields["Outcome"]));
        Assert.Equal((trace, "POST", "example.test", "/chat/room"),
            (line.Fields["TraceId"], line.Fields["Method"], line.Fields["Host"], line.Fields["Path"]));
        Assert.Equal(($"127.0.0.1:{PortOf(client.Socket.LocalEndPoint)}", $"127.0.0.1:{PortOf(client.Socket.RemoteEndPoint)}", "203.0.113.9"),
            (line.Fields["Client"], line.Fields["Listener"], line.Fields["ForwardedClient"]));
        Assert.NotNull(line.Fields["Seconds"]);
        Assert.DoesNotContain("secret", line.Text + string.Join(' ', line.Fields.Values), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_has_a_line_that_says_so()
    {
        var backend = Owned(Silent());
        var balancer = Start(Lane.Raw, Direct(backend.Address));
        var client = await ConnectAsync(balancer, Lane.Raw);
        await client.WriteAsync(Get("/"));
        await backend.NextTunnelAsync();

        client.Reset();

        var line = await AccessLines.OnlyAsync(balancer);
        Assert.Equal(("RequestLine", 499, "ClientGone"), (line.Event, line.Fields["Status"], line.Fields["Outcome"]));
    }

    [Fact]
    public async Task Without_the_option_there_is_no_line()
    {
        var backend = Owned(RawBackend.Answering(static _ => Ok));
        var balancer = Start(Lane.Raw, Direct(backend.Address).With("AccessLog:Requests", "false"));
        using var requests = balancer.Collect<long>("stickyws.requests");

        await AskAsync(balancer, "/");
        await Wait.UntilAsync(() => requests.GetMeasurementSnapshot().Count == 1);
        await balancer.StopAsync();

        Assert.Empty(AccessLines.Of(balancer));
    }

    // The same things happen in both halves, and are called the same.
    [Fact]
    public async Task Metrics_and_lines_of_both_halves_have_the_same_tags()
    {
        var (direct, pipeline) = (await TellAsync("Direct"), await TellAsync("Pipeline"));

        Assert.Equal(pipeline, direct);
        Assert.Contains(direct, told => told.Contains("4xx", StringComparison.Ordinal) && told.Contains("ClientGone", StringComparison.Ordinal));
        Assert.Contains(direct, told => told.Contains("5xx", StringComparison.Ordinal) && told.Contains("BadAnswer", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ReactorLanes))]
    public async Task A_request_has_one_span_of_a_server_and_one_of_a_client_and_the_backend_is_told(Lane lane)
    {
        var backend = Owned(RawBackend.Answering(static _ => Ok));
        var balancer = Start(lane, Direct(backend.Address));
        using var spans = new Spans(balancer);
        var trace = ActivityTraceId.CreateRandom().ToHexString();

        await AskAsync(balancer, "/chat?token=secret", $"traceparent: 00-{trace}-{ClientSpan}-01\r\nX-Between: 1\r\ntracestate: a=1\r\n");

        await Wait.UntilAsync(() => spans.All.Count == 2);
        var server = Assert.Single(spans.All, span => span.Kind == ActivityKind.Server);
        var ask = Assert.Single(spans.All, span => span.Kind == ActivityKind.Client);
        Assert.Equal((trace, trace, ClientSpan, server.SpanId),
            (server.TraceId.ToHexString(), ask.TraceId.ToHexString(), server.ParentSpanId.ToHexString(), ask.ParentSpanId));
        Assert.Equal(("GET", "/chat", 200, "chat", "a", "http"), (server.DisplayName, server.GetTagItem("url.path"),
            server.GetTagItem("http.response.status_code"), server.GetTagItem("stickyws.pool"), server.GetTagItem("stickyws.backend"),
            server.GetTagItem("stickyws.lane")));
        Assert.Equal((backend.Address + "/chat", 200), (ask.GetTagItem("url.full"), ask.GetTagItem("http.response.status_code")));
        var head = Assert.Single(backend.Heads);
        Assert.Equal([$"00-{trace}-{ask.SpanId.ToHexString()}-01"], HttpHead.Values(head, "traceparent"));
        Assert.Equal(["a=1"], HttpHead.Values(head, "tracestate"));
        Assert.Equal("1", HttpHead.Value(head, "X-Between"));
        Assert.DoesNotContain("secret", string.Concat(spans.All.SelectMany(span => span.TagObjects).Select(tag => tag.Value)), StringComparison.Ordinal);
        Assert.Equal(trace, (await AccessLines.OnlyAsync(balancer)).Fields["TraceId"]);
    }

    [Fact]
    public async Task A_request_that_is_sent_again_has_a_span_for_each_backend()
    {
        var (a, b) = (Owned(RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            await wire.FinishAsync();
        })), Owned(RawBackend.Answering(static _ => Ok)));
        var balancer = Start(Lane.Raw, Direct(a.Address, b.Address));
        using var spans = new Spans(balancer);

        await AskAsync(balancer, "/");

        await Wait.UntilAsync(() => spans.All.Count == 3);
        var asked = spans.All.Where(span => span.Kind == ActivityKind.Client).ToArray();
        Assert.Equal(["NoAnswer", null], asked.Select(span => span.GetTagItem("error.type")));
        Assert.Equal([null, 1], asked.Select(span => span.GetTagItem("http.request.resend_count")));
        Assert.Equal(["a", "b"], asked.Select(span => span.GetTagItem("stickyws.backend")));
        Assert.Equal(asked.Select(span => span.SpanId.ToHexString()),
            new[] { a, b }.Select(backend => HttpHead.Value(Assert.Single(backend.Heads), "traceparent")![36..52]));
    }

    [Fact]
    public async Task A_request_that_fails_ends_its_span_with_the_error()
    {
        var balancer = Start(Lane.Raw, Direct("http://127.0.0.1:1"));
        using var spans = new Spans(balancer);

        Assert.Equal(502, HttpHead.Status(await AskAsync(balancer, "/")));

        await Wait.UntilAsync(() => !spans.All.IsEmpty);
        var span = Assert.Single(spans.All);
        Assert.Equal((ActivityKind.Server, "502", ActivityStatusCode.Error), (span.Kind, span.GetTagItem("error.type"), span.Status));
    }

    [Theory]
    [InlineData(ActivitySamplingResult.PropagationData)]
    [InlineData(ActivitySamplingResult.None)]
    [InlineData(null)]
    public async Task A_trace_that_nobody_records_goes_on(ActivitySamplingResult? result)
    {
        var backend = Owned(RawBackend.Answering(static _ => Ok));
        var balancer = Start(Lane.Raw, Direct(backend.Address));
        using var spans = result is { } sampling ? new Spans(balancer, sampling) : null;
        var trace = ActivityTraceId.CreateRandom().ToHexString();

        await AskAsync(balancer, "/", $"TraceParent: 00-{trace}-{ClientSpan}-00\r\ntracestate: a=1\r\n");

        var passed = Assert.Single(HttpHead.Values(Assert.Single(backend.Heads), "traceparent"));
        Assert.StartsWith($"00-{trace}-", passed, StringComparison.Ordinal);
        Assert.EndsWith("-00", passed, StringComparison.Ordinal);
        Assert.Equal(result != ActivitySamplingResult.PropagationData, passed.Contains(ClientSpan, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_that_throws_harms_no_request()
    {
        var backend = Owned(RawBackend.Answering(static _ => Ok));
        var balancer = Start(Lane.Raw, Direct(backend.Address));
        using var spans = new Spans(balancer) { Throws = true };

        Assert.Equal(200, HttpHead.Status(await AskAsync(balancer, "/")));

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "AccessListenerFailed"));
    }

    private static int PortOf(EndPoint? end) => ((IPEndPoint)end!).Port;

    private static string Get(string target, string headers = "") => $"GET {target} HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n";

    private static LiveSettings Direct(params string[] addresses)
        => Pool(addresses).With("Pools:chat:Http", "Direct").With("AccessLog:Requests", "true").With("Pools:chat:Health:Passive:Enabled", "false");

    private static async Task<string> AskAsync(Balancer balancer, string target, string headers = "")
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        return await client.AskAsync(Get(target, headers));
    }

    private static RawBackend Silent() => RawBackend.Start(static async (backend, wire) =>
    {
        await backend.TakeHeadAsync(wire);
        backend.GiveToTest(wire);
    });

    // What a pool tells of requests that end in every way, one after the other.
    private async Task<string[]> TellAsync(string http)
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            var way = HttpHead.FirstLine(head).Split(' ')[1];
            if (way == "/silent")
            {
                backend.GiveToTest(wire);
                return;
            }

            await wire.WriteAsync(way switch
            {
                "/missing" => "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
                "/nonsense" => "nonsense\r\n\r\n",
                "/none" => "",
                "/broken" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                "/head" => Ok[..^2],
                _ => Ok,
            });
            await wire.FinishAsync();
        }));
        var balancer = Start(Lane.Raw, Direct(backend.Address).With("Pools:chat:Http", http).With("Pools:chat:RetryAfter", "00:00:05")
            .WithPool("dead", "http://127.0.0.1:1").With("Pools:dead:Match:PathPrefixes:0", "/dead").With("Pools:dead:Http", http));
        using var requests = balancer.Collect<long>("stickyws.requests");
        using var durations = balancer.Collect<double>("stickyws.request.duration");
        using var refusals = balancer.Collect<long>("stickyws.refusals");
        string[] ways = ["GET /", "POST /", "HEAD /head", "GET /missing", "GET /nonsense", "GET /none", "GET /broken", "GET /dead", "GET /silent"];
        for (var i = 0; i < ways.Length; i++)
        {
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            await client.WriteAsync($"{ways[i]} HTTP/1.1\r\nHost: example.test\r\n{(ways[i] == "POST /" ? "Content-Length: 3\r\n\r\nabc" : "\r\n")}");
            if (ways[i] == "GET /silent")
            {
                await backend.NextTunnelAsync();
                client.Reset();
            }
            else if (ways[i] != "GET /broken") // That is reset, perhaps before it was read.
            {
                await client.ReadHeadAsync();
            }

            await Wait.UntilAsync(() => requests.GetMeasurementSnapshot().Count == i + 1 && durations.GetMeasurementSnapshot().Count == i + 1);
            await Wait.UntilAsync(() => AccessLines.Of(balancer).Count() == i + 1);
        }

        return
        [
            .. requests.GetMeasurementSnapshot().Select(measured => "request " + Of(measured.Tags)),
            .. durations.GetMeasurementSnapshot().Select(measured => "duration " + Of(measured.Tags)),
            .. refusals.GetMeasurementSnapshot().Select(measured => "refusal " + Of(measured.Tags)),
            .. AccessLines.Of(balancer).Select(line => string.Join(' ', line.Fields
                .Where(field => field.Key is not ("Client" or "Listener" or "Seconds" or "ConnectionId" or "TraceId" or "{OriginalFormat}"))
                .Where(field => field.Key != "BytesToClient" || line.Fields["Method"] is not "HEAD") // The pipeline tells what was announced.
                .Select(field => $"{field.Key}={field.Value}"))),
        ];
    }

    private static string Of(IReadOnlyDictionary<string, object?> tags)
        => string.Join(' ', tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"));
}
