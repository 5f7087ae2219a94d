using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Dashboard.Events;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

public sealed class EventHubTests
{
    private readonly WatchedState _state = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly FakeLogger<EventHub> _log = new();
    private readonly EventHub _hub;

    public EventHubTests() => _hub = new EventHub(_state, _clock, new StickyWsDashboardOptions(), _log);

    [Fact]
    public async Task Reader_ThatIsTooSlow_GetsASnapshotForWhatItMissed_AndTheOtherNothing()
    {
        using var slow = _hub.TryJoin(EventKind.Tunnel)!;
        using var quick = _hub.TryJoin(EventKind.Tunnel)!;
        Assert.Contains("event: snapshot", await NextAsync(slow), StringComparison.Ordinal);
        Assert.Contains("event: snapshot", await NextAsync(quick), StringComparison.Ordinal);

        for (var i = 0; i < 1500; i++)
        {
            _state.Tell(Opened(i));
            Assert.Contains("event: tunnel-opened", await NextAsync(quick), StringComparison.Ordinal);
        }

        var told = await NextAsync(slow);
        Assert.Contains("event: snapshot", told, StringComparison.Ordinal);
        Assert.Contains("\"missed\":1500,", told, StringComparison.Ordinal);
        _state.Tell(Opened(1500));
        Assert.Contains("event: tunnel-opened", await NextAsync(slow), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reader_ThatWantsNoRefusals_IsToldOfNone_AndOneThatIsTooSlowForThemGetsASnapshot()
    {
        using var slow = _hub.TryJoin(EventKind.Refusal)!;
        using var quick = _hub.TryJoin(EventKind.Refusal)!;
        using var calm = _hub.TryJoin(EventKind.Tunnel)!;
        foreach (var reader in new[] { slow, quick, calm }) await NextAsync(reader);

        for (var i = 0; i < 1500; i++)
        {
            _state.Tell(Refused(i));
            Assert.Contains("event: refused", await NextAsync(quick), StringComparison.Ordinal);
        }

        _state.Tell(Opened(1));

        Assert.Contains("event: tunnel-opened", await NextAsync(calm), StringComparison.Ordinal);
        Assert.Contains("\"missed\":1500,", await NextAsync(slow), StringComparison.Ordinal);
        _state.Tell(Refused(1500));
        Assert.Contains("event: refused", await NextAsync(slow), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_IsThereWhileSomebodyReads_AndBeginsAnew()
    {
        Assert.Equal(0, _state.Watches);
        var reader = _hub.TryJoin(EventKind.Tunnel)!;
        await NextAsync(reader);
        Assert.Equal((1, 1), (_state.Watches, _hub.Readers));

        reader.Dispose();
        await Wait.UntilAsync(() => _state.Watches == 0);

        using var another = _hub.TryJoin(EventKind.Tunnel)!;
        Assert.Contains("event: snapshot", await NextAsync(another), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_OfTunnels_IsThereWhileSomebodyWantsThem_AndTheirOverflowIsNothingToOthers()
    {
        using var calm = _hub.TryJoin(EventKind.Refusal)!;
        await NextAsync(calm);
        Assert.Equal((1, 0), (_state.Watches, _state.OfTunnels));

        using (var all = _hub.TryJoin(EventKind.Tunnel | EventKind.Refusal)!)
        {
            await NextAsync(all);
            Assert.Equal((2, 1, 2), (_state.Watches, _state.OfTunnels, _hub.Readers));
            _state.Tell(new SnapshotTaken { At = DateTimeOffset.UnixEpoch, Snapshot = WatchedState.Empty, Missed = 5000 }, ofTunnels: true);
            Assert.Contains("\"missed\":5000,", await NextAsync(all), StringComparison.Ordinal);
        }

        await Wait.UntilAsync(() => _state.OfTunnels == 0);
        _state.Tell(Refused(1));
        Assert.Contains("event: refused", await NextAsync(calm), StringComparison.Ordinal); // And no snapshot before it.
    }

    [Fact]
    public async Task Watch_ThatFails_EndsTheStreams_AndTheNextBeginsAnew()
    {
        _state.Defect = new InvalidOperationException("defect");
        using var reader = _hub.TryJoin(EventKind.Tunnel)!;

        Assert.False(await reader.WaitAsync(Wait.Token()));
        Assert.Equal("EventsFailed", _log.LatestRecord.Id.Name);
        using var another = _hub.TryJoin(EventKind.Tunnel)!;
        Assert.Contains("event: snapshot", await NextAsync(another), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beat_ComesEvery15Seconds()
    {
        using var reader = _hub.TryJoin(EventKind.Tunnel)!;
        await NextAsync(reader);

        _clock.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(": alive\n\n", await NextAsync(reader));
    }

    [Fact]
    public async Task Endpoint_WhoseReaderTakesNothing_IsAbortedAfter10Seconds()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        var context = new DefaultHttpContext();
        var lifetime = new Lifetime();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(pipe.Writer.AsStream()));
        using var stopping = new ApplicationLifetimeHolder();
        var answering = new EventsEndpoint(_hub, _clock, stopping.Lifetime).AnswerAsync(context);
        await Wait.UntilAsync(() => _hub.Readers == 1);
        Assert.False(answering.IsCompleted);

        await Wait.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            return answering.IsCompleted;
        });

        await answering;
        Assert.Equal((true, 0), (lifetime.IsAborted, _hub.Readers));
    }

    private static RequestRefused Refused(int i) => new()
    {
        At = DateTimeOffset.UnixEpoch,
        Refused = new RefusedRequest { At = DateTimeOffset.UnixEpoch, Id = $"{i}", IsHandshake = true, Pool = "chat", Lane = "raw", Cause = "NoBackend" },
    };

    internal static TunnelOpened Opened(int i) => new()
    {
        At = DateTimeOffset.UnixEpoch,
        Tunnel = new TunnelStatus { Id = $"{i}", Pool = "chat", Backend = "a", Lane = "raw", BytesToBackend = 0, BytesToClient = 0, Age = TimeSpan.Zero },
    };

    private static async Task<string> NextAsync(EventReader reader)
    {
        while (true)
        {
            Assert.True(await reader.WaitAsync(Wait.Token()));
            if (reader.TryRead(out var frame) && frame.Bytes.Length > 0) return Encoding.UTF8.GetString(frame.Bytes.Span);
        }
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Abort() => IsAborted = true;
    }

    private sealed class ApplicationLifetimeHolder : IDisposable
    {
        public ApplicationLifetime Lifetime { get; } = new(NullLogger<ApplicationLifetime>.Instance);

        public void Dispose() => Lifetime.StopApplication();
    }
}
