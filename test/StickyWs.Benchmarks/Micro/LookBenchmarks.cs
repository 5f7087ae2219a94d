using System.Diagnostics.Metrics;
using System.Net;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Hosting;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.TestKit;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Benchmarks.Micro;

/// <summary>
/// What a look at the tunnels costs a process that has many: each question of the dashboard's open page (every one or two seconds), and a collection of
/// metrics. What does not grow with the tunnels is what is shown of them.
/// </summary>
public class LookBenchmarks : IDisposable
{
    private const int Backends = 12;

    private static readonly TunnelFilter Sample = new() { Limit = 500 };
    private static readonly TunnelFilter List = new() { Limit = 50 };
    private static readonly TunnelFilter None = new() { Limit = 0 };

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _collection = new();
    private StickyWsState _state = null!;
    private Drains _drains = null!;
    private TunnelTable _tunnels = null!;

    [Params(10_000, 100_000)]
    public int Tunnels { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var registry = new BackendRegistry(NullLogger<BackendRegistry>.Instance, TimeProvider.System);
        var pool = new PoolOptions();
        for (var i = 0; i < Backends; i++) pool.Backends[$"backend-{i}"] = new BackendOptions { Address = $"http://10.0.1.{i}:5000" };
        registry.Apply(new StickyWsOptions { Pools = { ["chat"] = pool } });
        var metrics = new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>());
        _tunnels = new TunnelTable(metrics, TimeProvider.System, NullLogger<TunnelTable>.Instance);
        _drains = new Drains(registry, _tunnels, NullLogger<Drains>.Instance);
        _state = new StickyWsState(registry, _tunnels, _drains);
        new TunnelMetrics(metrics, _tunnels, _drains).Observe(registry);
        Listen(metrics);
        for (var i = 0; i < Tunnels; i++) Open(registry.Current.Pools[0].Backends[i % Backends], i);
    }

    /// <summary>The 500 tunnels that are drawn of more than 5,000.</summary>
    [Benchmark]
    public Task<TunnelPage> Drawn() => _state.FindTunnelsAsync(Sample, TunnelOrder.Sampled);

    /// <summary>The first page of the list.</summary>
    [Benchmark]
    public Task<TunnelPage> Listed() => _state.FindTunnelsAsync(List, TunnelOrder.Newest);

    /// <summary>The list in the order that costs most: a text for each.</summary>
    [Benchmark]
    public Task<TunnelPage> ListedByClient() => _state.FindTunnelsAsync(List, TunnelOrder.Client);

    /// <summary>How many lead where.</summary>
    [Benchmark]
    public Task<TunnelFlows> Counted() => _state.CountTunnelsAsync(None);

    /// <summary>Pools and backends.</summary>
    [Benchmark]
    public StateSnapshot Read() => _state.Read();

    /// <summary>Both instruments that look at all tunnels.</summary>
    [Benchmark]
    public void Collected() => _collection.RecordObservableInstruments();

    [GlobalCleanup]
    public void Dispose()
    {
        _drains.Dispose();
        _collection.Dispose();
        _services.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Listen(StickyWsMetrics metrics)
    {
        _collection.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == metrics.Meter && instrument.Name is "stickyws.tunnels.open" or "stickyws.tunnels.oldest")
                listener.EnableMeasurementEvents(instrument);
        };
        _collection.SetMeasurementEventCallback<int>(static (_, _, _, _) => { });
        _collection.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        _collection.Start();
    }

    private void Open(Backend backend, int number)
    {
        if (backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease) != LeaseResult.Granted) throw new InvalidOperationException("There is no lease.");
        _tunnels.TryOpen(new Resting($"0HN{number:X6}:00000001", lease, _tunnels.Now, number));
    }

    private sealed class Resting(string id, Lease lease, long openedAt, int number) : Tunnel(id, lease, openedAt)
    {
        private readonly ConnectionTuple _client = new(
            new RawAddress(new IPEndPoint(new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]), 50_000)),
            new RawAddress(new IPEndPoint(IPAddress.Loopback, 443)));

        public override string Lane => LaneNames.Raw;

        public override ConnectionTuple? Tuple => _client;

        public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync() => new(_client);

        public override void Abort(EndReason reason) => throw new NotSupportedException();
    }
}
