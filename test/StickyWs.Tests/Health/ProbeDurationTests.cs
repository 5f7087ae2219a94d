using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class ProbeDurationTests
{
    private static readonly TimeSpan Half = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task Probe_Good_IsTimed()
    {
        var (value, tags) = await ProbeAsync((clinic, call) =>
        {
            clinic.Time.Advance(Half);
            call.Good();
        });

        Assert.Equal(0.5, value);
        Assert.Equal(["stickyws.backend=a", "stickyws.pool=chat"], tags);
    }

    [Fact]
    public async Task Probe_Failed_IsTimedAndSaysWhy()
    {
        var (value, tags) = await ProbeAsync((clinic, call) =>
        {
            clinic.Time.Advance(Half);
            call.Fail("a page that changes with every probe");
        });

        Assert.Equal(0.5, value);
        Assert.Equal(["error.type=BadAnswer", "stickyws.backend=a", "stickyws.pool=chat"], tags);
    }

    [Fact]
    public async Task Probe_TimedOut_TookItsTimeOut()
    {
        var (value, tags) = await ProbeAsync((clinic, _) => clinic.Time.Advance(Clinic.Timeout));

        Assert.Equal(Clinic.Timeout.TotalSeconds, value);
        Assert.Equal(["error.type=TimedOut", "stickyws.backend=a", "stickyws.pool=chat"], tags);
    }

    private static async Task<(double Value, IEnumerable<string> Tags)> ProbeAsync(Action<Clinic, ProbeCall> answer)
    {
        await using var clinic = new Clinic();
        using var probes = new MetricCollector<double>(clinic.Metrics.Meter.Scope, StickyWsMetrics.MeterName, "stickyws.probe.duration");
        clinic.Registry.Apply(Clinic.Options());
        var starting = clinic.Monitor.StartAsync(Wait.Token());
        answer(clinic, await clinic.Probe.NextAsync("a"));
        await starting;
        await probes.WaitForMeasurementsAsync(1, Wait.Bound);
        var probe = Assert.Single(probes.GetMeasurementSnapshot());
        return (probe.Value, probe.Tags.Select(tag => $"{tag.Key}={tag.Value}").Order());
    }
}
