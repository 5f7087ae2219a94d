using StickyWs.Reactors;

namespace StickyWs.Tunnels;

/// <summary>Which tunnels are idle, and how long: asked in bulk, with one look per reactor, since what a reactor knows belongs to its thread.</summary>
internal static class Idleness
{
    // A reactor that is stuck for longer does not hold up the others; its tunnels then count as busy.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Sorts tunnels, the longest idle first. One that cannot be asked counts as busy.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">Is told of the first failure of each look, on its thread; must not throw.</param>
    public static async Task<Tunnel[]> SortAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception> failed)
    {
        long[] keys = [.. (await ReadAsync(tunnels, time, failed).ConfigureAwait(false)).Select(idle => -idle)];
        Tunnel[] sorted = [.. tunnels];
        Array.Sort(keys, sorted);
        return sorted;
    }

    /// <summary>Reads for how many milliseconds no byte has moved in each; 0 for one that cannot be asked.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">As for <see cref="SortAsync"/>.</param>
    public static async Task<long[]> ReadAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception>? failed = null)
    {
        var idle = new long[tunnels.Length];
        var looks = Enumerable.Range(0, tunnels.Length).GroupBy(place => tunnels[place].Reactor)
            .Select(places => LookAsync(places.Key, () => Look(tunnels, places, idle, failed)));
        await Task.WhenAny(Task.WhenAll(looks), Task.Delay(LongestLook, time)).ConfigureAwait(false);
        return [.. idle];
    }

    private static void Look(Tunnel[] tunnels, IEnumerable<int> places, long[] idle, Action<Exception>? failed)
    {
        var hasFailed = false;
        foreach (var place in places)
        {
            try
            {
                Volatile.Write(ref idle[place], tunnels[place].ReadIdle());
            }
#pragma warning disable CA1031 // One tunnel's trouble must not keep the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!hasFailed) failed?.Invoke(e);
                hasFailed = true;
            }
        }
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
