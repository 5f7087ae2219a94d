using System.Diagnostics.Metrics;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>Metrics of the raw lane, read on collection.</summary>
/// <param name="metrics">The meter.</param>
/// <param name="threads">How many reactors there are, and why they do not use io_uring; <see langword="null"/> while there are none.</param>
internal sealed class ReactorMetrics(StickyWsMetrics metrics, Func<(int Count, string? NoUring)?> threads)
{
    public void Observe() => metrics.Meter.CreateObservableUpDownCounter(
        "stickyws.reactors", Reactors, "{reactor}", "Threads of the raw lane, by what they wait with, and why that is not io_uring.");

    private Measurement<int>[] Reactors() => threads() switch
    {
        null => [],
        (var count, null) => [new(count, new KeyValuePair<string, object?>("stickyws.reactor.kind", "io_uring"))],
        (var count, { } noUring) => [new(count, new("stickyws.reactor.kind", "epoll"), new("stickyws.reactor.obstacle", noUring))],
    };
}
