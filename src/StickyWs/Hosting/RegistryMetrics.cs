using System.Diagnostics.Metrics;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Hosting;

/// <summary>Metrics from the registry's existing state, read on collection: tunnels, bytes, states.</summary>
internal sealed class RegistryMetrics(StickyWsMetrics metrics, Pins pins)
{
    public void Observe(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableUpDownCounter("stickyws.tunnels.active",
            () => Each(registry, backend => backend.ActiveTunnels), "{tunnel}", "Tunnels open, handshakes under way included.");
        meter.CreateObservableUpDownCounter("stickyws.requests.active",
            () => Each(registry, backend => backend.ActiveRequests), "{request}", "Plain HTTP requests under way.");
        meter.CreateObservableUpDownCounter("stickyws.handshakes.active",
            () => Each(registry, backend => backend.ActiveHandshakes), "{handshake}", "WebSocket handshakes under way.");
        meter.CreateObservableUpDownCounter("stickyws.queue.length",
            () => Waiting(registry), "{request}", "Handshakes and plain requests that wait for a place at a backend.");
        meter.CreateObservableCounter("stickyws.tunnel.io", () => Bytes(registry), "By", "Bytes relayed, by direction.");
        meter.CreateObservableUpDownCounter("stickyws.pins",
            Pins, "{pin}", "Pins kept in this process, by kind: learnt from backends, or the last backend of a hashed key.");
        meter.CreateObservableGauge("stickyws.backend.state", () => States(registry), "{backend}", "1 for the state that a backend is in, 0 for the others.");
    }

    private Measurement<int>[] Pins() =>
    [
        new(pins.LearntCount, new KeyValuePair<string, object?>("stickyws.pin.kind", "learnt")),
        new(pins.HashedCount, new KeyValuePair<string, object?>("stickyws.pin.kind", "hashed")),
    ];

    private static IEnumerable<Backend> Backends(BackendRegistry registry) => registry.Current.Pools.SelectMany(pool => pool.Backends);

    private static IEnumerable<Measurement<int>> Each(BackendRegistry registry, Func<Backend, int> value)
        => Backends(registry).Select(backend => new Measurement<int>(value(backend), Tags(backend)));

    private static IEnumerable<Measurement<int>> Waiting(BackendRegistry registry)
        => from pool in registry.Current.Pools
           from kind in Enum.GetValues<LeaseKind>()
           select new Measurement<int>(pool.Lines.Of(kind).Count, StickyWsMetrics.Pool(pool.Name), StickyWsMetrics.Work(WaitingRoom.WordOf(kind)));

    private static IEnumerable<Measurement<long>> Bytes(BackendRegistry registry)
        => Backends(registry).SelectMany(backend => new[]
        {
            new Measurement<long>(backend.BytesToBackend, [.. Tags(backend), new("stickyws.direction", "client->backend")]),
            new Measurement<long>(backend.BytesToClient, [.. Tags(backend), new("stickyws.direction", "backend->client")]),
        });

    private static IEnumerable<Measurement<int>> States(BackendRegistry registry)
        => from backend in Backends(registry)
           from state in Enum.GetValues<BackendState>()
           select new Measurement<int>(backend.State == state ? 1 : 0, [.. Tags(backend), new("stickyws.state", state.ToString())]);

    private static KeyValuePair<string, object?>[] Tags(Backend backend) => [StickyWsMetrics.Pool(backend.Pool), StickyWsMetrics.Backend(backend.Name)];
}
