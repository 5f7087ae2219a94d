using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Access;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>Traces go through the balancer, and tell of it.</summary>
public sealed class TraceTests : BalancerTest
{
    private const string ClientSpan = "00f067aa0ba902b7";

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_handshake_has_one_span_of_a_server_and_one_of_a_client_and_its_tunnel_another(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var spans = new Spans(balancer);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat?token=secret",
            $"traceparent: 00-{trace}-{ClientSpan}-01\r\ntracestate: a=1\r\n"))));
        var server = await backend.NextTunnelAsync();
        server.Reset();
        await client.WaitForEndAsync();
        await Wait.UntilAsync(() => spans.All.Any(span => span.DisplayName == "tunnel"));

        var told = spans.All.Where(span => span.TraceId.ToHexString() == trace).ToArray();
        var ask = Assert.Single(told, span => span.Kind == ActivityKind.Client);
        var tunnel = Assert.Single(told, span => span.Kind == ActivityKind.Internal);
        var own = Assert.Single(told, span => span.Kind == ActivityKind.Server); // Nobody listens to the pipeline's.
        Assert.Equal((ClientSpan, ask.ParentSpanId), (own.ParentSpanId.ToHexString(), own.SpanId));
        Assert.Equal((ask.ParentSpanId, ask.ParentSpanId), (tunnel.ParentSpanId, Assert.Single(tunnel.Links).Context.SpanId));
        Assert.Equal("BackendReset", tunnel.GetTagItem("stickyws.end_reason"));
        var head = Assert.Single(backend.Heads);
        Assert.Equal([$"00-{trace}-{ask.SpanId.ToHexString()}-01"], HttpHead.Values(head, "traceparent"));
        Assert.Equal(["a=1"], HttpHead.Values(head, "tracestate"));
        Assert.DoesNotContain("secret", string.Concat(told.SelectMany(span => span.TagObjects).Select(tag => tag.Value)), StringComparison.Ordinal);
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "TunnelLine"));
        Assert.Equal(trace, balancer.Log.Lines.Single(line => line.Event == "TunnelLine").Fields["TraceId"]);
    }

    [Theory]
    [MemberData(nameof(SniffedLanes))]
    public async Task A_client_without_a_trace_or_with_a_faulty_one_begins_one(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var spans = new Spans(balancer);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        string[] faulty =
        [
            "", "traceparent: \r\n", $"traceparent: 00-{trace}-{ClientSpan}-01\r\ntraceparent: 00-{trace}-{ClientSpan}-01\r\n",
            $"traceparent: ff-{trace}-{ClientSpan}-01\r\ntracestate: a=1\r\n", $"traceparent: {new string('0', 8000)}\r\n",
        ];
        foreach (var headers in faulty)
        {
            var client = await ConnectAsync(balancer, lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/", headers))));
            client.Reset();
            await backend.NextTunnelAsync();
        }

        Assert.All(backend.Heads, head =>
        {
            var passed = Assert.Single(HttpHead.Values(head, "traceparent"));
            Assert.Equal(55, passed.Length);
            Assert.DoesNotContain(trace, passed, StringComparison.Ordinal);
            Assert.Empty(HttpHead.Values(head, "tracestate"));
        });
        Assert.Equal(faulty.Length, backend.Heads.Select(head => HttpHead.Value(head, "traceparent")![3..35]).Distinct().Count());
    }

    // As it came, be it faulty: this is no hop of a trace.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task While_nobody_listens_the_clients_trace_passes_unchanged(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.AskAsync(HttpHead.Handshake("/", "TraceParent: 00-nonsense\r\ntracestate: A=,\r\nbaggage: a=b\r\n"));
        await backend.NextTunnelAsync();
        client.Reset();

        var head = Assert.Single(backend.Heads);
        Assert.Equal(["00-nonsense"], HttpHead.Values(head, "traceparent"));
        Assert.Equal(["A=,"], HttpHead.Values(head, "tracestate"));
        Assert.Equal(["a=b"], HttpHead.Values(head, "baggage"));
    }

    [Theory]
    [MemberData(nameof(SniffedLanes))]
    public async Task A_handshake_that_fails_ends_its_span_with_the_error(Lane lane)
    {
        var balancer = Start(lane, "http://127.0.0.1:1");
        using var spans = new Spans(balancer);
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(502, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        await Wait.UntilAsync(() => !spans.All.IsEmpty);
        var span = Assert.Single(spans.All);
        Assert.Equal((ActivityKind.Server, "502", ActivityStatusCode.Error, "Unreachable"),
            (span.Kind, span.GetTagItem("error.type"), span.Status, span.GetTagItem("stickyws.handshake.outcome")));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_unsampled_trace_goes_on_unsampled(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var spans = new Spans(balancer, ActivitySamplingResult.PropagationData);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var client = await ConnectAsync(balancer, lane);

        await client.AskAsync(HttpHead.Handshake("/", $"traceparent: 00-{trace}-{ClientSpan}-00\r\n"));
        await backend.NextTunnelAsync();

        var passed = Assert.Single(HttpHead.Values(Assert.Single(backend.Heads), "traceparent"));
        Assert.StartsWith($"00-{trace}-", passed, StringComparison.Ordinal);
        Assert.EndsWith("-00", passed, StringComparison.Ordinal);
        Assert.DoesNotContain(ClientSpan, passed, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_listener_that_throws_harms_no_tunnel(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        using var spans = new Spans(balancer) { Throws = true };
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await client.WriteAsync("hello");
        Assert.Equal("hello", await server.ReadTextAsync(5));
        client.Reset();

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "TunnelLine"));
        Assert.Single(balancer.Log.Lines, line => line.Event == "AccessListenerFailed");
    }

    // The HTTP client makes its own span and passes it on: another of ours would double it.
    [Fact]
    public async Task A_plain_request_has_the_spans_of_the_framework_only()
    {
        await using var backend = RawBackend.Answering(static _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var balancer = Start(Lane.Raw, backend.Address);
        using var spans = new Spans(balancer);
        var ofHttpClient = new ConcurrentQueue<Activity>();
        using var listener = ListenToHttpClient(ofHttpClient);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        var client = await ConnectAsync(balancer, Lane.Raw);

        Assert.Equal(200, HttpHead.Status(await client.AskAsync(
            $"GET /plain HTTP/1.1\r\nHost: example.test\r\ntraceparent: 00-{trace}-{ClientSpan}-01\r\n\r\n")));

        await Wait.UntilAsync(() => ofHttpClient.Any(span => span.TraceId.ToHexString() == trace));
        var ask = Assert.Single(ofHttpClient, span => span.TraceId.ToHexString() == trace);
        Assert.Equal(ActivityKind.Client, ask.Kind);
        Assert.Equal([$"00-{trace}-{ask.SpanId.ToHexString()}-01"], HttpHead.Values(Assert.Single(backend.Heads), "traceparent"));
        Assert.Empty(spans.All);
    }

    // Whoever asks it: the handshake's span and the direct lane's are ours, the pipeline's is the HTTP client's.
    [Theory]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, true)]
    public async Task Every_span_of_a_client_says_which_backend_of_which_pool_was_asked(Lane lane, bool isTls)
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            await wire.WriteAsync(HttpHead.Value(head, "Upgrade") is null ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : HttpHead.SwitchingProtocols(head));
            await wire.WaitForEndAsync();
            await wire.DisposeAsync();
        }, certificate: CertificateIf(isTls)));
        var balancer = Start(lane, TrustingPool(backend.Address)
            .WithPool("direct", backend.Address).With("Pools:direct:Match:PathPrefixes:0", "/direct").With("Pools:direct:Http", "Direct")
            .With("Pools:direct:Tls:DangerousAcceptAnyCertificate", "true"));
        using var own = new Spans(balancer);
        var ofHttpClient = new ConcurrentQueue<Activity>();
        using var listener = ListenToHttpClient(ofHttpClient);

        var tunnel = await AskAsync(HttpHead.Handshake("/"));
        var pipeline = await AskAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        var direct = await AskAsync("GET /direct HTTP/1.1\r\nHost: example.test\r\n\r\n");

        var port = new Uri(backend.Address).Port;
        Assert.Equal("GET 127.0.0.1:" + port + " chat a", Of(tunnel));
        Assert.Equal(Of(tunnel), Of(pipeline));
        Assert.Equal(Of(tunnel).Replace("chat", "direct", StringComparison.Ordinal), Of(direct));
        Assert.All([tunnel, direct], span
            => Assert.Equal(("127.0.0.1", port), (span.GetTagItem("network.peer.address"), span.GetTagItem("network.peer.port"))));
        Assert.Equal("System.Net.Http", pipeline.Source.Name);

        async Task<Activity> AskAsync(string request)
        {
            var trace = ActivityTraceId.CreateRandom().ToHexString();
            await using var client = await RawClient.ConnectAsync(balancer.Address);
            await client.AskAsync(request.Replace("\r\n\r\n", $"\r\ntraceparent: 00-{trace}-{ClientSpan}-01\r\n\r\n", StringComparison.Ordinal));
            await Wait.UntilAsync(() => Found().Any());
            return Found().Single();

            IEnumerable<Activity> Found()
                => own.All.Concat(ofHttpClient).Where(span => span.Kind == ActivityKind.Client && span.TraceId.ToHexString() == trace);
        }

        static string Of(Activity span)
            => $"{span.GetTagItem("http.request.method")} {span.GetTagItem("server.address")}:{span.GetTagItem("server.port")} "
                + $"{span.GetTagItem("stickyws.pool")} {span.GetTagItem("stickyws.backend")}";
    }

    private static ActivityListener ListenToHttpClient(ConcurrentQueue<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "System.Net.Http",
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
