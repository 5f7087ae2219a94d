using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Observability;

namespace StickyWs.Tests.Observability;

/// <summary>What an exporter sees of the meter.</summary>
public sealed class StickyWsMetricsTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly List<Histogram<double>> _histograms = [];
    private readonly List<(string Instrument, KeyValuePair<string, object?>[] Tags)> _recorded = [];
    private readonly StickyWsMetrics _metrics;

    public StickyWsMetricsTests()
    {
        _metrics = new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>());
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != _metrics.Meter) return;
            if (instrument is Histogram<double> histogram) _histograms.Add(histogram);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => _recorded.Add((instrument.Name, tags.ToArray())));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => _recorded.Add((instrument.Name, tags.ToArray())));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Histograms_AreInSecondsAndAdviseTheirBuckets()
    {
        Assert.Equal(
            [
                "stickyws.dial.duration", "stickyws.drain.duration", "stickyws.handshake.duration", "stickyws.probe.duration", "stickyws.queue.duration",
                "stickyws.request.duration", "stickyws.tls.handshake.duration", "stickyws.tunnel.duration",
            ],
            _histograms.Select(histogram => histogram.Name).Order());
        Assert.All(_histograms, histogram =>
        {
            Assert.Equal("s", histogram.Unit);
            var buckets = histogram.Advice?.HistogramBucketBoundaries;
            Assert.NotNull(buckets);
            Assert.Equal(buckets.Distinct().Order(), buckets);
            Assert.All(buckets, bucket => Assert.True(bucket > 0));
        });
    }

    [Theory]
    [InlineData("stickyws.dial.duration", 0.001, 5)]
    [InlineData("stickyws.handshake.duration", 0.001, 10)]
    [InlineData("stickyws.probe.duration", 0.001, 2)]
    [InlineData("stickyws.queue.duration", 0.001, 10)]
    [InlineData("stickyws.request.duration", 0.001, 100)]
    [InlineData("stickyws.tunnel.duration", 1, 86_400)]
    public void Buckets_TellApartWhatIsCommonAndWhatTimesOut(string name, double shortest, double longest)
    {
        var buckets = _histograms.Single(histogram => histogram.Name == name).Advice!.HistogramBucketBoundaries!;

        Assert.True(buckets[0] <= shortest);
        Assert.True(buckets[^1] >= longest);
        Assert.True(buckets.Count(bucket => bucket > shortest && bucket <= longest) >= 6);
    }

    [Fact]
    public void Tags_OfEveryMeasurement_HaveValuesAndNames()
    {
        _metrics.RequestEnded("p", null, 503, null, Second);
        _metrics.RequestEnded("p", "a", 200, null, Second);
        _metrics.RequestEnded("p", "a", 502, "NoAnswer", Second);
        _metrics.Retried("p", "a");
        _metrics.DialFailed("p", "a", "timeout");
        _metrics.DialEnded("p", "a", LaneNames.Raw, null, Second);
        _metrics.DialEnded("p", "a", LaneNames.Raw, "timeout", Second);
        _metrics.ProbeEnded("p", "a", null, Second);
        _metrics.ProbeEnded("p", "a", "Refused", Second);
        _metrics.HandshakeEnded("p", null, LaneNames.Portable, HandshakeOutcome.NoBackend, Second);
        _metrics.HandshakeEnded("p", "a", LaneNames.Raw, HandshakeOutcome.Opened, Second);
        _metrics.TunnelOpened("p", "a", LaneNames.Raw);
        _metrics.TunnelEnded("p", "a", LaneNames.Raw, EndReason.ClientClosed, Farewell.Both, Second);

        Assert.All(_recorded, record =>
        {
            Assert.All(record.Tags, tag => Assert.IsType<string>(tag.Value));
            Assert.Equal(record.Tags.Length, record.Tags.Select(tag => tag.Key).Distinct().Count());
            Assert.Contains(record.Tags, tag => tag is { Key: "stickyws.pool", Value: "p" });
        });
        Assert.Equal(13 + 3 + 1 + 2, _recorded.Count); // A request and a tunnel's end are counted and timed; two are refusals.
    }

    [Theory]
    [InlineData(HandshakeOutcome.Opened, false)]
    [InlineData(HandshakeOutcome.Declined, false)]
    [InlineData(HandshakeOutcome.ClientGone, false)]
    [InlineData(HandshakeOutcome.NoBackend, true)]
    [InlineData(HandshakeOutcome.QueueFull, true)]
    [InlineData(HandshakeOutcome.TimedOut, true)]
    public void Refusals_OfHandshakes_AreTheAnswersOfTheBalancerItself(HandshakeOutcome outcome, bool isRefusal)
    {
        _metrics.HandshakeEnded("p", null, LaneNames.Raw, outcome, Second);

        AssertRefusals(isRefusal ? [$"stickyws.pool=p stickyws.work=handshake error.type={outcome}"] : []);
    }

    [Theory]
    [InlineData(503, "NoneEligible", true)]
    [InlineData(502, null, false)] // The backend's own.
    [InlineData(400, "ClientBody", false)]
    [InlineData(200, "BackendSilent", false)] // It was under way.
    public void Refusals_OfRequests_AreFailuresThatTheBalancerAnswered(int status, string? errorType, bool isRefusal)
    {
        _metrics.RequestEnded("p", "a", status, errorType, Second);

        AssertRefusals(isRefusal ? [$"stickyws.pool=p stickyws.work=request error.type={errorType}"] : []);
    }

    [Fact]
    public void Refusals_OfConnections_HaveNoPool()
    {
        _metrics.Refused(pool: null, StickyWsMetrics.ConnectionWork, "HeadTimedOut");

        AssertRefusals(["stickyws.work=connection error.type=HeadTimedOut"]);
    }

    [Fact]
    public void Measurements_ThatNobodyListensTo_AllocateNothing()
    {
        _listener.Dispose();
        MeasureAll();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) MeasureAll();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(false, false, "none")]
    [InlineData(true, false, "client")]
    [InlineData(false, true, "backend")]
    [InlineData(true, true, "both")]
    public void Farewell_Of_NamesTheSides(bool client, bool backend, string expected) => Assert.Equal(expected, Farewell.Of(client, backend));

    // What happens in traffic.
    private void MeasureAll()
    {
        _metrics.RequestEnded("p", "a", 502, "NoAnswer", Second);
        _metrics.Retried("p", "a");
        _metrics.DialFailed("p", "a", "timeout");
        _metrics.DialEnded("p", "a", LaneNames.Raw, null, Second);
        _metrics.ProbeEnded("p", "a", "Refused", Second);
        _metrics.HandshakeEnded("p", "a", LaneNames.Raw, HandshakeOutcome.NoBackend, Second);
        _metrics.TlsHandshakeEnded(StickyWsMetrics.ClientSide, "1.3", isResumed: true, "tls", Second);
        _metrics.Waited("p", StickyWsMetrics.HandshakeWork, "QueueFull", Second);
        _metrics.Refused(pool: null, StickyWsMetrics.ConnectionWork, "HeadTimedOut");
        _metrics.TunnelOpened("p", "a", LaneNames.Raw);
        _metrics.TunnelEnded("p", "a", LaneNames.Raw, EndReason.ClientClosed, Farewell.Both, Second);
        _metrics.Affinity("p", "new");
        _metrics.PinStoreFailed("find", "timeout");
    }

    private void AssertRefusals(string[] expected) => Assert.Equal(
        expected,
        _recorded.Where(record => record.Instrument == "stickyws.refusals")
            .Select(record => string.Join(' ', record.Tags.Select(tag => $"{tag.Key}={tag.Value}"))));
}
