using StickyWs.Reactors;

namespace StickyWs.Tunnels;

/// <summary>Which tunnels are idle, and how long: asked in bulk, with one look per reactor, since what a reactor knows belongs to its thread.</summary>
internal static class Idleness
{
    // What is not known counts as less idle than any other.
    private const long Busy = -1;

    // A reactor that is stuck for longer does not hold up the others; its tunnels then count as busy.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Sorts tunnels, the longest idle first. One that cannot be asked counts as busy.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">Is told of the first failure of each look, on its thread; must not throw.</param>
    public static async Task<Tunnel[]> SortAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception> failed)
        => Sort(tunnels, await ReadAsync(tunnels, static tunnel => tunnel.ReadIdle(), time, failed).ConfigureAwait(false), Busy);

    /// <summary>Those that are between two frames and were idle for some time, the longest idle first. One that cannot be asked is not among them.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="least">For how long they must have been idle.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">As in <see cref="SortAsync"/>.</param>
    public static async Task<Tunnel[]> FindRestingAsync(IReadOnlyList<Tunnel> tunnels, TimeSpan least, TimeProvider time, Action<Exception> failed)
    {
        var idle = await ReadAsync(tunnels, static tunnel => tunnel.IsBetweenFrames ? tunnel.ReadIdle() : Busy, time, failed).ConfigureAwait(false);
        return Sort(tunnels, idle, (long)least.TotalMilliseconds);
    }

    /// <summary>Reads for how many milliseconds no byte has moved in each; 0 for one that cannot be asked.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">As for <see cref="SortAsync"/>.</param>
    public static async Task<long[]> ReadAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception>? failed = null)
        => [.. (await ReadAsync(tunnels, static tunnel => tunnel.ReadIdle(), time, failed).ConfigureAwait(false)).Select(idle => Math.Max(idle, 0))];

    private static Tunnel[] Sort(IReadOnlyList<Tunnel> tunnels, long[] idle, long least)
        => [.. Enumerable.Range(0, tunnels.Count).Where(place => idle[place] >= least).OrderByDescending(place => idle[place]).Select(place => tunnels[place])];

    private static async Task<long[]> ReadAsync(IReadOnlyList<Tunnel> tunnels, Func<Tunnel, long> read, TimeProvider time, Action<Exception>? failed)
    {
        var idle = new long[tunnels.Count];
        Array.Fill(idle, Busy);
        var looks = Enumerable.Range(0, tunnels.Count).GroupBy(place => tunnels[place].Reactor)
            .Select(places => LookAsync(places.Key, () => Look(tunnels, places, read, idle, failed)));
        await Task.WhenAny(Task.WhenAll(looks), Task.Delay(LongestLook, time)).ConfigureAwait(false);
        return [.. idle]; // A late look goes on writing.
    }

    private static void Look(IReadOnlyList<Tunnel> tunnels, IEnumerable<int> places, Func<Tunnel, long> read, long[] idle, Action<Exception>? failed)
    {
        var hasFailed = false;
        foreach (var place in places)
        {
            try
            {
                Volatile.Write(ref idle[place], read(tunnels[place]));
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
