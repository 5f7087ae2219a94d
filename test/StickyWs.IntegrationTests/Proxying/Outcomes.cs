using System.Collections.Concurrent;
using StickyWs.Backends;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Writes down what the data path saw of each backend.</summary>
internal sealed class Outcomes : IOutcomeSink
{
    private readonly ConcurrentQueue<string> _seen = new();

    /// <summary>In order: <c>a+</c> for a success of backend a, <c>a-Cause</c> for a failure.</summary>
    public IReadOnlyList<string> Seen => [.. _seen];

    public IEnumerable<string> Failures => _seen.Where(outcome => outcome.Contains('-', StringComparison.Ordinal));

    public void Succeeded(Backend backend) => _seen.Enqueue($"{backend.Name}+");

    public void Failed(Backend backend, Suspicion suspicion) => _seen.Enqueue($"{backend.Name}-{suspicion.Evidence}");

    public void Missed(PoolSnapshot pool)
    {
    }
}
