using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>A balancer's memory when it has come to rest.</summary>
internal static class Memory
{
    private const int MostAttempts = 10;

    // The runtime gives memory back in steps, over seconds.
    private const int FewestAttempts = 5;

    /// <summary>Collects until it stays within half a percent from one second to the next; ten seconds at most.</summary>
    public static async Task<long> SettledAsync(Balancer balancer)
    {
        var before = long.MaxValue;
        for (var attempt = 1; ; attempt++)
        {
            await balancer.CollectAsync();
            var memory = balancer.Processes.Memory();
            if (attempt == MostAttempts || (attempt >= FewestAttempts && Math.Abs(before - memory) < memory / 200)) return memory;
            before = memory;
            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }
}
