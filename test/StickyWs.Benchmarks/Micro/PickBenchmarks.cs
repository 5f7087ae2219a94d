using System.Globalization;
using BenchmarkDotNet.Attributes;
using StickyWs.Backends;
using StickyWs.Balancing;

namespace StickyWs.Benchmarks.Micro;

/// <summary>One choice of a backend; none may allocate.</summary>
public class PickBenchmarks
{
    private readonly RoundRobinPolicy _roundRobin = new();
    private readonly LeastConnectionsPolicy _leastConnections = new();
    private readonly PowerOfTwoChoicesPolicy _powerOfTwoChoices = new();
    private BackendSet _candidates = null!;
    private uint _turn;

    [Params(3, 100)]
    public int Backends { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var total = new TunnelTotal();
        _candidates = new BackendSet(Enumerable.Range(0, Backends).Select(i =>
        {
            var backend = new Backend("pool", i.ToString(CultureInfo.InvariantCulture), new Uri("http://127.0.0.1:5000"), total);
            for (var lease = 0; lease < i % 7; lease++) backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out _);
            return backend;
        }));
    }

    [Benchmark(Baseline = true)]
    public int RoundRobin() => _roundRobin.Pick(_candidates, _turn++);

    [Benchmark]
    public int LeastConnections() => _leastConnections.Pick(_candidates, _turn++);

    [Benchmark]
    public int PowerOfTwoChoices() => _powerOfTwoChoices.Pick(_candidates, _turn++);
}
