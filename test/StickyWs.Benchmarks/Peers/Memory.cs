using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>A balancer's memory when it has come to rest.</summary>
internal static class Memory
{
    private const int MostAttempts = 10;

    /// <summary>Collects until it stays within one percent from one second to the next; ten seconds at most.</summary>
    public static async Task<long> SettledAsync(Balancer balancer)
    {
        var before = long.MaxValue;
        for (var attempt = 1; ; attempt++)
        {
            await balancer.CollectAsync();
            var memory = balancer.Processes.Memory();
            if (attempt == MostAttempts || Math.Abs(before - memory) < memory / 100) return memory;
            before = memory;
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }
}
