using System.Diagnostics.Metrics;
using StickyWs.Backends;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Hosting;

/// <summary>
/// Metrics of open tunnels and of drains, read on collection. Each collection looks at all tunnels twice, outside of the lock that they open and close under.
/// </summary>
internal sealed class TunnelMetrics(StickyWsMetrics metrics, TunnelTable tunnels, Drains drains)
{
    private static readonly string[] Lanes = [LaneNames.Portable, LaneNames.Raw];

    public void Observe(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableUpDownCounter("stickyws.tunnels.open", () => Open(registry), "{tunnel}", "Tunnels open, without handshakes in progress.");
        meter.CreateObservableGauge("stickyws.tunnels.oldest", Oldest, "s", "The age of a backend's oldest open tunnel. Absent while it has none.");
        meter.CreateObservableUpDownCounter("stickyws.drain.left", Left, "{tunnel}", "Tunnels left at a backend that drains. Absent when the drain is over.");
        meter.CreateObservableGauge("stickyws.drain.elapsed", Elapsed, "s", "For how long a backend has been draining. Absent when the drain is over.");
        drains.Ended += status => metrics.DrainEnded(status.Pool, status.Backend, status.Mode.ToString(), status.Outcome.ToString(), Since(status));
    }

    // Also of backends that were removed and still have some. Those without any are told as 0, lest a series end while nobody knows why.
    private IEnumerable<Measurement<int>> Open(BackendRegistry registry)
    {
        var counts = new Dictionary<(string Pool, string Backend, string Lane), int>();
        foreach (var backend in registry.Current.Pools.SelectMany(pool => pool.Backends))
        {
            foreach (var lane in Lanes) counts[(backend.Pool, backend.Name, lane)] = 0;
        }

        foreach (var tunnel in tunnels.ReadAll())
        {
            var key = (tunnel.Backend.Pool, tunnel.Backend.Name, tunnel.Lane);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        return counts.Select(count => new Measurement<int>(count.Value, [.. Tags(count.Key.Pool, count.Key.Backend), StickyWsMetrics.Lane(count.Key.Lane)]));
    }

    private IEnumerable<Measurement<double>> Oldest()
    {
        var oldest = new Dictionary<(string Pool, string Backend), long>();
        foreach (var tunnel in tunnels.ReadAll())
        {
            var key = (tunnel.Backend.Pool, tunnel.Backend.Name);
            if (!oldest.TryGetValue(key, out var known) || tunnel.OpenedAt < known) oldest[key] = tunnel.OpenedAt;
        }

        return oldest.Select(one => new Measurement<double>(tunnels.Time.GetElapsedTime(one.Value).TotalSeconds, Tags(one.Key.Pool, one.Key.Backend)));
    }

    // A drain also has the tunnels of backends that the configuration no longer names. Two of one name are one series.
    private IEnumerable<Measurement<int>> Left()
        => Draining().GroupBy(status => (status.Pool, status.Backend, status.Mode)).Select(same => new Measurement<int>(
            same.Sum(status => status.Left), [.. Tags(same.Key.Pool, same.Key.Backend), StickyWsMetrics.Mode(same.Key.Mode.ToString())]));

    private IEnumerable<Measurement<double>> Elapsed()
        => Draining().GroupBy(status => (status.Pool, status.Backend, status.Mode)).Select(same => new Measurement<double>(
            same.Max(Since).TotalSeconds, [.. Tags(same.Key.Pool, same.Key.Backend), StickyWsMetrics.Mode(same.Key.Mode.ToString())]));

    private IEnumerable<DrainStatus> Draining()
        => drains.Backends.Select(backend => drains.Find(backend)?.Status).OfType<DrainStatus>().Where(status => status.Outcome == DrainOutcome.Draining);

    private TimeSpan Since(DrainStatus status)
        => tunnels.Time.GetUtcNow() - status.Since is var elapsed && elapsed > TimeSpan.Zero ? elapsed : TimeSpan.Zero;

    private static KeyValuePair<string, object?>[] Tags(string pool, string backend) => [StickyWsMetrics.Pool(pool), StickyWsMetrics.Backend(backend)];
}
