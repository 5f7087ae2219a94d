using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Hosting;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Draining;

namespace StickyWs.Tests.Hosting;

/// <summary>What is read when an exporter collects.</summary>
public sealed class CollectedMetricsTests : IDisposable
{
    private readonly DrainRig _rig = new(pool =>
    {
        pool.SlowStart = TimeSpan.FromSeconds(100);
        pool.Backends["b"].MaxTunnels = 7;
        pool.Queue.Length = 5;
    });

    public CollectedMetricsTests()
    {
        var pins = new Pins(_rig.Registry, TimeProvider.System);
        new RegistryMetrics(_rig.Metrics, pins, _rig.Clock, NullLogger<RegistryMetrics>.Instance).Observe(_rig.Registry);
        new TunnelMetrics(_rig.Metrics, _rig.Tunnels, _rig.Drains).Observe(_rig.Registry);
    }

    private static BackendTarget B => BackendTarget.Of(Fleet.Pool, "b");

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void OpenTunnels_OfEachLane_AreCountedAndTheOldestTimed()
    {
        _rig.Open(1);
        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        var tunnels = _rig.Open(2);

        Assert.Equal(["a/portable 0", "a/raw 0", "b/portable 0", "b/raw 3"], Read<int>("stickyws.tunnels.open", "stickyws.lane"));
        Assert.Equal(["b 30"], Read<double>("stickyws.tunnels.oldest"));
        tunnels[0].Abort(EndReason.Cut);
        Assert.Equal(["a/portable 0", "a/raw 0", "b/portable 0", "b/raw 2"], Read<int>("stickyws.tunnels.open", "stickyws.lane"));
    }

    [Fact]
    public void OpenTunnels_OfARemovedBackend_AreStillCounted()
    {
        _rig.Open(1);

        _rig.Registry.Apply(Fleet.Options(1));

        Assert.Contains("b/raw 1", Read<int>("stickyws.tunnels.open", "stickyws.lane"));
    }

    [Fact]
    public async Task Drain_ThatGoesOn_TellsItsTimeAndWhatIsLeft()
    {
        using var ended = new MetricCollector<double>(_rig.Metrics.Meter, "stickyws.drain.duration");
        var tunnel = Assert.Single(_rig.Open(1));
        Assert.Empty(Read<int>("stickyws.drain.left", "stickyws.mode"));

        var drain = _rig.Control.StopAsync(B, TestContext.Current.CancellationToken);
        _rig.Clock.Advance(TimeSpan.FromSeconds(40));

        Assert.Equal(["b/Stop 1"], Read<int>("stickyws.drain.left", "stickyws.mode"));
        Assert.Equal(["b/Stop 40"], Read<double>("stickyws.drain.elapsed", "stickyws.mode"));
        Assert.Contains("b/Stop 1", Read<int>("stickyws.backend.mode", "stickyws.mode"));
        tunnel.Abort(EndReason.ClientClosed);
        await drain;
        await ended.WaitForMeasurementsAsync(1, Wait.Bound);
        Assert.Empty(Read<int>("stickyws.drain.left", "stickyws.mode"));
        Assert.Empty(Read<double>("stickyws.drain.elapsed", "stickyws.mode"));
        var measured = Assert.Single(ended.GetMeasurementSnapshot());
        Assert.Equal((40d, "Empty"), (measured.Value, measured.Tags["stickyws.drain.outcome"]));
    }

    [Fact]
    public async Task Backend_ThatIsFoundUnhealthy_ShowsItsBreakerItsVerdictAndItsPool()
    {
        using var verdicts = new MetricCollector<long>(_rig.Metrics.Meter, "stickyws.backend.verdicts");

        _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "traffic: it refused", isHearsay: true);
        _rig.Registry.Confirm(_rig.B); // Says nothing new.
        _rig.Clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(["a 1", "b 0"], Read<int>("stickyws.backend.eligible"));
        Assert.Equal(
            ["b/Closed 0", "b/HalfOpen 0", "b/Isolated 0", "b/Off 0", "b/Open 1"],
            Read<int>("stickyws.backend.breaker", "stickyws.breaker.state").Where(row => row[0] == 'b'));
        Assert.Contains("b 3", Read<double>("stickyws.backend.state_age"));
        await verdicts.WaitForMeasurementsAsync(1, Wait.Bound);
        var verdict = Assert.Single(verdicts.GetMeasurementSnapshot());
        Assert.Equal(("b", "Unhealthy", "traffic"),
            (verdict.Tags["stickyws.backend"], verdict.Tags["stickyws.state"], verdict.Tags["stickyws.verdict.source"]));
        _rig.B.OfferTrial();
        Assert.Contains("b/HalfOpen 1", Read<int>("stickyws.backend.breaker", "stickyws.breaker.state"));
    }

    [Theory]
    [InlineData("probe: 3 failures in a row, the last: refused", "probe")]
    [InlineData("traffic raised suspicion, and the probe agrees: refused", "probe")]
    [InlineData("traffic: it answered", "traffic")]
    [InlineData("configuration", "configuration")]
    public async Task Verdict_OfEachCause_NamesItsSource(string cause, string source)
    {
        using var verdicts = new MetricCollector<long>(_rig.Metrics.Meter, "stickyws.backend.verdicts");

        _rig.Registry.Report(_rig.B, BackendState.Unhealthy, cause);

        await verdicts.WaitForMeasurementsAsync(1, Wait.Bound);
        Assert.Equal(source, Assert.Single(verdicts.GetMeasurementSnapshot()).Tags["stickyws.verdict.source"]);
    }

    // Under the registry's lock either would be in the way of all further verdicts, and of whoever reports this one.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Verdict_WhoseListenerThrowsOrTakesItsTime_HasItsEffect(bool throws)
    {
        using var mayGoOn = new ManualResetEventSlim();
        var isTold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, on) =>
        {
            if (instrument.Meter == _rig.Metrics.Meter && instrument.Name == "stickyws.backend.verdicts") on.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            isTold.TrySetResult();
            if (throws) throw new InvalidOperationException("A listener's trouble.");
            mayGoOn.Wait(Wait.Bound);
        });
        listener.Start();

        var reporting = Task.Run(() => _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "probe: refused"), Wait.Token());
        await isTold.Task.WaitAsync(Wait.Bound);
        await reporting.WaitAsync(Wait.Bound);
        await Task.Run(() => _rig.Registry.Report(_rig.B, BackendState.Healthy, "probe: a good one"), Wait.Token()).WaitAsync(Wait.Bound);

        Assert.Equal(BackendState.Healthy, _rig.B.Health);
        mayGoOn.Set();
    }

    [Fact]
    public void Weights_InSlowStart_AreConfiguredAndEffective()
    {
        _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "probe: refused");
        _rig.Registry.Report(_rig.B, BackendState.Healthy, "probe: a good one");

        Assert.Equal(["a 1", "b 1"], Read<int>("stickyws.backend.weight"));
        Assert.Equal(["a 1", "b 0.1"], Read<double>("stickyws.backend.effective_weight"));
    }

    [Fact]
    public void Limits_ThatAreSet_AreTold()
    {
        Assert.Equal(["b 7"], Read<int>("stickyws.tunnels.limit"));
        Assert.Empty(Read<int>("stickyws.handshakes.limit"));
        Assert.Empty(Read<int>("stickyws.requests.limit"));
        Assert.Equal(["/handshake 5", "/request 5"], Read<int>("stickyws.queue.limit", "stickyws.work"));
    }

    [Fact]
    public void Pool_WithoutAHealthyBackend_Panics()
    {
        Assert.Equal([" 0"], Read<int>("stickyws.pool.panicking"));

        foreach (var backend in Fleet.PoolOf(_rig.Registry).Backends) _rig.Registry.Report(backend, BackendState.Unhealthy, "traffic: it refused");

        Assert.Equal([" 1"], Read<int>("stickyws.pool.panicking"));
        Assert.Equal([" 0"], Read<int>("stickyws.pool.awaited"));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("the kernel is too old", 1)]
    public void Reactors_ThatRun_SayWhatTheyWaitWith(string? obstacle, int others)
    {
        var isOn = false;
        new ReactorMetrics(_rig.Metrics, () => isOn ? (2, obstacle) : null).Observe();
        using var reactors = new MetricCollector<int>(_rig.Metrics.Meter, "stickyws.reactors");
        reactors.RecordObservableInstruments();
        Assert.Empty(reactors.GetMeasurementSnapshot());

        isOn = true;
        reactors.RecordObservableInstruments();

        var measured = Assert.Single(reactors.GetMeasurementSnapshot());
        Assert.Equal((2, 1 + others), (measured.Value, measured.Tags.Count));
    }

    // Each as "backend/tag value", in order; the pool is that of all.
    private string[] Read<T>(string instrument, string? tag = null)
        where T : struct
    {
        using var collector = new MetricCollector<T>(_rig.Metrics.Meter, instrument);
        collector.RecordObservableInstruments();
        return
        [
            .. collector.GetMeasurementSnapshot().Select(one =>
            {
                Assert.Equal(Fleet.Pool, one.Tags["stickyws.pool"]);
                var backend = one.Tags.TryGetValue("stickyws.backend", out var name) ? (string)name! : "";
                return FormattableString.Invariant($"{backend}{(tag is null ? "" : $"/{one.Tags[tag]}")} {one.Value}");
            }).Order(StringComparer.Ordinal),
        ];
    }
}
