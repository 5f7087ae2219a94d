using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

        foreach (var ((backend, lane), known) in Look())
        {
            var key = (backend.Pool, backend.Name, lane);
            counts[key] = counts.GetValueOrDefault(key) + known.Count;
        }

        return counts.Select(count => new Measurement<int>(count.Value, [.. Tags(count.Key.Pool, count.Key.Backend), StickyWsMetrics.Lane(count.Key.Lane)]));
    }

    private IEnumerable<Measurement<double>> Oldest()
        => Look().GroupBy(known => (known.Key.Backend.Pool, known.Key.Backend.Name), known => known.Value.Oldest).Select(same => new Measurement<double>(
            tunnels.Time.GetElapsedTime(same.Min()).TotalSeconds, Tags(same.Key.Pool, same.Key.Name)));

    // Two backends may have one name, after a reload; but to hash names for every tunnel would cost more than all else.
    private Dictionary<(Backend Backend, string Lane), (int Count, long Oldest)> Look()
    {
        var seen = new Dictionary<(Backend, string), (int Count, long Oldest)>(ByReference.Instance);
        using var open = tunnels.Borrow();
        foreach (var tunnel in open.All)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(seen, (tunnel.Backend, tunnel.Lane), out var isKnown);
            known = (known.Count + 1, isKnown ? Math.Min(known.Oldest, tunnel.OpenedAt) : tunnel.OpenedAt);
        }

        return seen;
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

    private sealed class ByReference : IEqualityComparer<(Backend Backend, string Lane)>
    {
        public static ByReference Instance { get; } = new();

        public bool Equals((Backend Backend, string Lane) one, (Backend Backend, string Lane) other)
            => ReferenceEquals(one.Backend, other.Backend) && one.Lane == other.Lane;

        public int GetHashCode((Backend Backend, string Lane) key) => RuntimeHelpers.GetHashCode(key.Backend);
    }
}
