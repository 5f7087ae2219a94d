using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Access;

/// <summary>What is told of a handshake, without a network.</summary>
public sealed class HandshakeAccountTests : IDisposable
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string SpanId = "00f067aa0ba902b7";
    private const string Traced = $"traceparent: 00-{TraceId}-{SpanId}-01\r\ntracestate: a=1\r\n";

    private readonly AccessRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Begin_NobodyListens_IsNotAskedForAndAllocatesNothing()
    {
        _rig.Log.Level = LogLevel.Warning;
        var head = DispatchRig.Head("/chat", Traced);
        var output = new ArrayBufferWriter<byte>(1024);
        var client = new ClientInfo(IPAddress.Loopback, "http");
        Write();
        var without = Cost(() => RequestHeadWriter.Write(output, head, client, isTrusted: false));

        Assert.False(_rig.Accounts.IsWanted);
        Assert.Equal(without, Cost(Write));
        Assert.Equal($"00-{TraceId}-{SpanId}-01", HttpHead.Value(Encoding.Latin1.GetString(output.WrittenSpan), "traceparent"));

        void Write()
        {
            using var account = _rig.Accounts.IsWanted ? _rig.Accounts.Begin(AccessRig.Client(), head, Decide("/chat").Decision) : null;
            RequestHeadWriter.Write(output, head, client, isTrusted: false, default, account?.Ask(null!, null));
        }

        long Cost(Action action)
        {
            output.ResetWrittenCount();
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public async Task Spans_OfASniffedHandshake_AreAServersAndAClientsInTheClientsTrace()
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat", Traced);

        IReadOnlyList<KeyValuePair<string, string>> headers;
        using (var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat?token=secret", Traced), decision))
        {
            headers = account.Ask(backend, AccessRig.Tuple);
            account.Answered(HandshakeOutcome.Opened, 101);
            Assert.NotNull(account.Opened()!.Traced);
        }

        await _rig.FlushAsync();

        var (ask, server) = (_rig.Spans[0], _rig.Spans[1]);
        Assert.Equal([ActivityKind.Client, ActivityKind.Server], _rig.Spans.Select(span => span.Kind));
        Assert.All(_rig.Spans, span => Assert.Equal((TraceId, "GET", ActivityStatusCode.Unset), (span.TraceId.ToHexString(), span.DisplayName, span.Status)));
        Assert.Equal((SpanId, server.SpanId), (server.ParentSpanId.ToHexString(), ask.ParentSpanId));
        Assert.Equal([new("traceparent", $"00-{TraceId}-{ask.SpanId.ToHexString()}-01"), new("tracestate", "a=1")], headers);
        Assert.DoesNotContain("secret", string.Concat(_rig.Spans.SelectMany(span => span.TagObjects).Select(tag => tag.Value)), StringComparison.Ordinal);
        Assert.Equal(
            [
                "client.address=192.0.2.7", "http.request.method=GET", "http.response.status_code=101", "network.peer.address=192.0.2.7",
                "network.peer.port=54321", "network.protocol.version=1.1", "server.address=example.test", "stickyws.backend=a",
                "stickyws.handshake.outcome=Opened", "stickyws.lane=raw", "stickyws.pool=chat", "url.path=/chat", "url.scheme=http",
            ],
            Tags(server));
        Assert.Equal(
            [
                "http.request.method=GET", "http.response.status_code=101", "network.peer.address=10.0.0.1", "network.peer.port=443",
                "network.protocol.version=1.1", "server.address=127.0.0.1", "server.port=5000", "stickyws.backend=a",
                "stickyws.handshake.outcome=Opened", "stickyws.pool=chat", "url.full=http://127.0.0.1:5000/chat",
            ],
            Tags(ask));
    }

    // As a listener decides: unsampled spans still go on to the backend, unrecorded ones are no spans at all.
    [Theory]
    [InlineData(ActivitySamplingResult.None, null)]
    [InlineData(ActivitySamplingResult.PropagationData, "00")]
    [InlineData(ActivitySamplingResult.AllDataAndRecorded, "01")]
    public void Ask_Sampled_PassesOnWhatListenersDecide(ActivitySamplingResult result, string? flags)
    {
        _rig.Listen((ref _) => result);
        var (decision, backend) = Decide("/chat");

        using var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision);
        var headers = account.Ask(backend, null);

        Assert.Equal(flags, headers.Count == 0 ? null : Assert.Single(headers).Value[^2..]);
        Assert.Equal(result == ActivitySamplingResult.AllDataAndRecorded, account.Opened()!.Traced is not null);
    }

    [Fact]
    public async Task Begin_FaultyParent_BeginsANewTraceWhateverIsCurrent()
    {
        _rig.Listen(All);
        var (decision, _) = Decide("/chat");
        using var other = new Activity("other").Start();

        using (_rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat", Traced + Traced), decision))
        {
            // Its span is all that is looked at.
        }

        Assert.Same(other, Activity.Current);
        await _rig.FlushAsync();

        var span = Assert.Single(_rig.Spans);
        Assert.Equal(default, span.ParentSpanId);
        Assert.NotEqual(other.TraceId, span.TraceId);
        Assert.NotEqual(TraceId, span.TraceId.ToHexString());
        Assert.Equal("exception", span.GetTagItem("error.type"));
    }

    [Fact]
    public async Task Spans_InThePipeline_AreTheClientsBelowThePipelinesOwn()
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat");
        using var pipeline = new Hosting();
        var hosting = pipeline.Span;

        using (var account = _rig.Accounts.Begin(AccessRig.Client(isInPipeline: true), DispatchRig.Head("/chat", Traced), decision))
        {
            account.Ask(backend, null);
            account.Answered(HandshakeOutcome.Declined, 404);
            account.Ended(HandshakeOutcome.Declined, 404);
        }

        Assert.Same(hosting, Activity.Current);
        await _rig.FlushAsync();
        var ask = Assert.Single(_rig.Spans);
        Assert.Equal((ActivityKind.Client, hosting.SpanId), (ask.Kind, ask.ParentSpanId));
        Assert.Equal(("404", ActivityStatusCode.Error), (ask.GetTagItem("error.type"), ask.Status));
    }

    // With AddSource("StickyWs") alone, ASP.NET Core makes a span for its own log, which nobody hears of.
    [Fact]
    public async Task Spans_InThePipelineWhoseOwnNobodyHears_AreTheServersToo()
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat");
        using var hosting = new Activity("hosting").Start();

        using (var account = _rig.Accounts.Begin(AccessRig.Client(isInPipeline: true), DispatchRig.Head("/chat", Traced), decision))
        {
            account.Ask(backend, null);
            account.Answered(HandshakeOutcome.Opened, 101);
            Assert.NotNull(account.Opened()!.Traced);
        }

        Assert.Same(hosting, Activity.Current);
        await _rig.FlushAsync();
        var (ask, server) = (_rig.Spans[0], _rig.Spans[1]);
        Assert.Equal((ActivityKind.Server, TraceId, SpanId), (server.Kind, server.TraceId.ToHexString(), server.ParentSpanId.ToHexString()));
        Assert.Equal(server.SpanId, ask.ParentSpanId);
    }

    // A listener may wait for whatever it likes, and a handshake may be on a reactor.
    [Fact]
    public async Task Spans_EndElsewhere_WhileTheHandshakeGoesOn()
    {
        var threads = new ConcurrentQueue<Thread>();
        _rig.Listen(All, _ => threads.Enqueue(Thread.CurrentThread));
        var (decision, backend) = Decide("/chat");
        var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision);
        var server = Activity.Current;
        account.Ask(backend, null);
        var ask = Activity.Current;

        account.Answered(HandshakeOutcome.Declined, 404);
        Assert.Same(server, Activity.Current);
        account.Dispose();
        Assert.Null(Activity.Current);
        var durations = new[] { ask!.Duration, server!.Duration };
        await _rig.FlushAsync();

        Assert.Equal(2, threads.Count);
        Assert.DoesNotContain(threads, thread => thread == Thread.CurrentThread || thread.IsThreadPoolThread);
        Assert.All(durations, duration => Assert.NotEqual(TimeSpan.Zero, duration));
        Assert.Equal(durations, _rig.Spans.Select(span => span.Duration));
    }

    // The level of a log is no matter of the backend's.
    [Fact]
    public void Ask_InThePipelineWhileNobodyListensToUs_LetsTheClientsTracePass()
    {
        var (decision, backend) = Decide("/chat");
        using var pipeline = new Hosting();

        using var account = _rig.Accounts.Begin(AccessRig.Client(isInPipeline: true), DispatchRig.Head("/chat", Traced), decision);

        Assert.Empty(account.Ask(backend, null));
    }

    [Fact]
    public async Task Ended_AfterAnotherBackendWasAsked_BlamesTheLast()
    {
        var (decision, backend) = Decide("/chat");
        var other = decision.Pool.Backends.First(one => one != backend);

        using (var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision))
        {
            account.Ask(backend, AccessRig.Tuple);
            account.Answered(HandshakeOutcome.NoAnswer, 0);
            account.Ended(HandshakeOutcome.Unreachable, 502, other);
        }

        await _rig.FlushAsync();
        var line = Assert.Single(_rig.Log.Lines);
        Assert.Equal((other.Name, (object?)null), (line.Fields["Backend"], line.Fields["UpstreamRemote"]));
    }

    [Fact]
    public async Task HandshakeSeconds_OfADeclinedHandshake_AreWithoutItsBody()
    {
        var time = new FakeTimeProvider();
        using var rig = new AccessRig(time: time);
        var decision = rig.Dispatcher.Decide(DispatchRig.Head("/chat"), AccessRig.Tuple.SourceAddress)!;

        using (var account = rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision))
        {
            time.Advance(TimeSpan.FromSeconds(1));
            account.Ended(HandshakeOutcome.Declined, 404);
            time.Advance(TimeSpan.FromSeconds(5));
        }

        await rig.FlushAsync();
        Assert.Equal(1.0, Assert.Single(rig.Log.Lines).Fields["HandshakeSeconds"]);
    }

    // Its span would be in nobody's trace.
    [Fact]
    public void Ask_InThePipelineWhileNobodyListens_LetsTheClientsTracePass()
    {
        var (decision, backend) = Decide("/chat");
        using var hosting = new Activity("hosting").Start();

        using var account = _rig.Accounts.Begin(AccessRig.Client(isInPipeline: true), DispatchRig.Head("/chat", Traced), decision);

        Assert.Empty(account.Ask(backend, null));
    }

    [Theory]
    [InlineData(HandshakeOutcome.Declined, 404, null)]
    [InlineData(HandshakeOutcome.Declined, 500, "500")]
    [InlineData(HandshakeOutcome.NoBackend, 503, "503")]
    [InlineData(HandshakeOutcome.ClientGone, 0, null)]
    public async Task Dispose_WithoutATunnel_EndsTheSpanAndWritesALine(HandshakeOutcome outcome, int status, string? error)
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat");

        using (var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat", Traced), decision)) account.Ended(outcome, status, backend);
        await _rig.FlushAsync();

        var span = Assert.Single(_rig.Spans);
        Assert.Equal((error, error is null ? ActivityStatusCode.Unset : ActivityStatusCode.Error), (span.GetTagItem("error.type"), span.Status));
        var line = Assert.Single(_rig.Log.Lines);
        Assert.Equal(("HandshakeLine", "a", outcome.ToString(), TraceId),
            (line.Event, line.Fields["Backend"], line.Fields["Outcome"], line.Fields["TraceId"]));
        Assert.Equal(status == 0 ? null : status, line.Fields["Status"]);
    }

    [Fact]
    public async Task Ask_AgainAfterSilence_CountsTheResend()
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat");
        using var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision);

        account.Ask(backend, null);
        account.Answered(HandshakeOutcome.NoAnswer, 0);
        account.Ask(backend, null);
        account.Answered(HandshakeOutcome.Opened, 101);
        await _rig.FlushAsync();

        Assert.Equal(["NoAnswer", null], _rig.Spans.Select(span => span.GetTagItem("error.type")));
        Assert.Equal([null, 1], _rig.Spans.Select(span => span.GetTagItem("http.request.resend_count")));
    }

    // A defect of a listener costs its trace, not the handshake.
    [Fact]
    public async Task Listener_ThatThrows_IsSaidOnceAndHarmsNothing()
    {
        _rig.Listen(static (ref _) => throw new InvalidTimeZoneException());
        var (decision, backend) = Decide("/chat");

        using (var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat", Traced), decision))
        {
            Assert.Empty(account.Ask(backend, null));
            account.Answered(HandshakeOutcome.Opened, 101);
            Assert.Equal(TraceId, account.Opened()!.TraceId.ToString("x32", null));
        }

        await _rig.FlushAsync();
        Assert.Equal("AccessListenerFailed", Assert.Single(_rig.Log.Lines).Event);
    }

    [Fact]
    public async Task Record_WhenItsTunnelEnds_EndsTheTraceInALinkedSpan()
    {
        _rig.Listen(All);
        var (decision, backend) = Decide("/chat");
        TunnelRecord record;
        using (var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat", Traced), decision))
        {
            account.Ask(backend, AccessRig.Tuple);
            account.Answered(HandshakeOutcome.Opened, 101);
            record = account.Opened()!;
        }

        record.End(new TunnelEnd("c1", AccessRig.Tuple, "chat", "a", "raw", EndReason.ClientClosed, "both", TimeSpan.FromSeconds(90))
        {
            BytesToBackend = 5,
            BytesToClient = 7,
            ClientCloseCode = 1000,
            BackendCloseCode = 0,
        });
        await _rig.FlushAsync();

        var (server, tunnel) = (_rig.Spans[1], _rig.Spans[2]);
        Assert.Equal(("tunnel", ActivityKind.Internal, server.SpanId, server.TraceId),
            (tunnel.DisplayName, tunnel.Kind, tunnel.ParentSpanId, tunnel.TraceId));
        Assert.Equal(server.SpanId, Assert.Single(tunnel.Links).Context.SpanId);
        Assert.Equal(TimeSpan.FromSeconds(90), tunnel.Duration);
        Assert.Equal(
            [
                "stickyws.backend=a", "stickyws.bytes_to_backend=5", "stickyws.bytes_to_client=7", "stickyws.end_reason=ClientClosed",
                "stickyws.farewell=both", "stickyws.lane=raw", "stickyws.pool=chat",
            ],
            Tags(tunnel));
        Assert.Equal("ClientClosed", Assert.Single(_rig.Log.Lines).Fields["EndReason"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Record_IsKeptForWhoeverListens(bool isLogged)
    {
        if (isLogged) _rig.Log.Level = LogLevel.Information;
        else _rig.Log.Level = LogLevel.Warning;
        if (!isLogged) _rig.Listen(All);
        var (decision, backend) = Decide("/chat");
        using var account = _rig.Accounts.Begin(AccessRig.Client(), DispatchRig.Head("/chat"), decision);
        account.Ask(backend, null);

        var record = account.Opened()!;
        record.End(new TunnelEnd("c1", null, "chat", "a", "raw", EndReason.Cut, "none", TimeSpan.Zero)
        {
            BytesToBackend = 0,
            BytesToClient = 0,
            ClientCloseCode = 0,
            BackendCloseCode = 0,
        });
        await _rig.FlushAsync();

        Assert.Equal(isLogged ? 1 : 0, _rig.Log.Lines.Count);
        Assert.Equal(isLogged ? 0 : 1, _rig.Spans.Count(span => span.DisplayName == "tunnel"));
    }

    private static ActivitySamplingResult All(ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded;

    private static IEnumerable<string> Tags(Activity span) => span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal);

    private (Decision Decision, Backend Backend) Decide(string target, string headers = "")
    {
        var decision = _rig.Dispatcher.Decide(DispatchRig.Head(target, headers), AccessRig.Tuple.SourceAddress)!;
        Assert.True(decision.TryNext(out var lease));
        return (decision, lease.Backend);
    }

    /// <summary>The span of the pipeline, which somebody listens to.</summary>
    private sealed class Hosting : IDisposable
    {
        private readonly ActivitySource _source = new(nameof(Hosting));
        private readonly ActivityListener _listener;

        public Hosting()
        {
            _listener = new ActivityListener { ShouldListenTo = source => ReferenceEquals(source, _source), Sample = All };
            ActivitySource.AddActivityListener(_listener);
            Span = _source.StartActivity()!;
        }

        public Activity Span { get; }

        public void Dispose()
        {
            Span.Dispose();
            _listener.Dispose();
            _source.Dispose();
        }
    }
}
