using StickyWs.Reactors;

namespace StickyWs.Tunnels;

/// <summary>Which tunnels are idle, and how long: asked in bulk, with one look per reactor, since what a reactor knows belongs to its thread.</summary>
internal static class Idleness
{
    // A reactor that is stuck for longer does not hold up the others; its tunnels then count as busy.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Sorts tunnels, the longest idle first.</summary>
    public static async Task<Tunnel[]> SortAsync(Tunnel[] tunnels, TimeProvider time)
    {
        var idle = new long[tunnels.Length];
        var looks = Enumerable.Range(0, tunnels.Length).GroupBy(place => tunnels[place].Reactor)
            .Select(places => LookAsync(places.Key, () =>
            {
                foreach (var place in places) Volatile.Write(ref idle[place], -tunnels[place].ReadIdle());
            }));
        await Task.WhenAny(Task.WhenAll(looks), Task.Delay(LongestLook, time)).ConfigureAwait(false);
        long[] keys = [.. idle];
        Tunnel[] sorted = [.. tunnels];
        Array.Sort(keys, sorted);
        return sorted;
    }

    private static Task LookAsync(Reactor? reactor, Action look)
    {
        if (reactor is null)
        {
            look();
            return Task.CompletedTask;
        }

        var looking = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Run(() =>
        {
            try
            {
                look();
            }
            finally
            {
                looking.SetResult(); // A failure is reported by the reactor.
            }
        });
        return looking.Task;
    }
}
