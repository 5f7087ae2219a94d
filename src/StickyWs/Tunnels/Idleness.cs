using StickyWs.Reactors;

namespace StickyWs.Tunnels;

/// <summary>Which tunnels are idle, and how long: asked in bulk, with one look per reactor, since what a reactor knows belongs to its thread.</summary>
internal static class Idleness
{
    // What is not known counts as less idle than any other.
    private const long Busy = -1;

    // At a time on one thread of the raw lane, between the bytes of others.
    private const int TunnelsPerTurn = 256;

    // A reactor that is stuck for longer does not hold up the others; its tunnels then count as busy.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    /// <summary>Sorts tunnels, the longest idle first. One that cannot be asked counts as busy.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">Is told of the first failure of each look, on its thread; must not throw.</param>
    public static async Task<Tunnel[]> SortAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception> failed)
        => Sort(tunnels, await ReadIdleAsync(tunnels, time, failed).ConfigureAwait(false), Busy);

    /// <summary>Those that are between two frames and were idle for some time, the longest idle first. One that cannot be asked is not among them.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="least">For how long they must have been idle.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">As in <see cref="SortAsync"/>.</param>
    public static async Task<Tunnel[]> FindRestingAsync(IReadOnlyList<Tunnel> tunnels, TimeSpan least, TimeProvider time, Action<Exception> failed)
    {
        var idle = await ReadAsync(tunnels, static tunnel => tunnel.IsBetweenFrames ? tunnel.ReadIdle() : Busy, Busy, time, failed).ConfigureAwait(false);
        return Sort(tunnels, idle, (long)least.TotalMilliseconds);
    }

    /// <summary>Reads for how many milliseconds no byte has moved in each; 0 for one that cannot be asked.</summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    public static async Task<long[]> ReadAsync(Tunnel[] tunnels, TimeProvider time)
        => Array.ConvertAll(await ReadIdleAsync(tunnels, time, null).ConfigureAwait(false), static idle => Math.Max(idle, 0));

    /// <summary>
    /// Reads when a byte last moved in each, in <see cref="Milliseconds"/>; <see cref="long.MaxValue"/> for one that cannot be asked. While a tunnel is
    /// still, this is the same at every look.
    /// </summary>
    /// <param name="tunnels">The tunnels.</param>
    /// <param name="time">The clock.</param>
    public static Task<long[]> ReadLastActiveAsync(Tunnel[] tunnels, TimeProvider time)
        => ReadAsync(tunnels, tunnel => tunnel.ReadLastActive(Milliseconds(time)), long.MaxValue, time, null);

    /// <summary>The moment, as reactors have it.</summary>
    public static long Milliseconds(TimeProvider time) => (long)time.GetElapsedTime(0).TotalMilliseconds;

    private static Task<long[]> ReadIdleAsync(Tunnel[] tunnels, TimeProvider time, Action<Exception>? failed)
        => ReadAsync(tunnels, static tunnel => tunnel.ReadIdle(), Busy, time, failed);

    private static Tunnel[] Sort(IReadOnlyList<Tunnel> tunnels, long[] idle, long least)
        => [.. Enumerable.Range(0, tunnels.Count).Where(place => idle[place] >= least).OrderByDescending(place => idle[place]).Select(place => tunnels[place])];

    private static async Task<long[]> ReadAsync(
        IReadOnlyList<Tunnel> tunnels, Func<Tunnel, long> read, long unknown, TimeProvider time, Action<Exception>? failed)
    {
        var found = new long[tunnels.Count];
        Array.Fill(found, unknown);
        using var over = new CancellationTokenSource();
        var looks = Enumerable.Range(0, tunnels.Count).GroupBy(place => tunnels[place].Reactor)
            .Select(places => LookAsync(places.Key, [.. places], new Look(tunnels, read, found, failed), over.Token));
        await Task.WhenAny(Task.WhenAll(looks), Task.Delay(LongestLook, time, over.Token)).ConfigureAwait(false);
#pragma warning disable CA1849 // Nothing that takes time is registered, and tunnels without a reactor are read at once.
        over.Cancel();
#pragma warning restore CA1849
        return [.. found]; // A late turn goes on writing.
    }

    private static async Task LookAsync(Reactor? reactor, int[] places, Look look, CancellationToken over)
    {
        foreach (var turn in places.Chunk(TunnelsPerTurn))
        {
            if (over.IsCancellationRequested) return;
            await RunAsync(reactor, () => look.At(turn)).ConfigureAwait(false);
        }
    }

    private static Task RunAsync(Reactor? reactor, Action work)
    {
        if (reactor is null)
        {
            work();
            return Task.CompletedTask;
        }

        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.Run(() =>
        {
            try
            {
                work();
            }
            finally
            {
                running.SetResult(); // A failure is reported by the reactor.
            }
        });
        return running.Task;
    }

    /// <summary>The look at the tunnels of one reactor, turn by turn.</summary>
    private sealed class Look(IReadOnlyList<Tunnel> tunnels, Func<Tunnel, long> read, long[] found, Action<Exception>? failed)
    {
        private bool _hasFailed;

        public void At(int[] places)
        {
            foreach (var place in places)
            {
                try
                {
                    Volatile.Write(ref found[place], read(tunnels[place]));
                }
#pragma warning disable CA1031 // One tunnel's trouble must not keep the others.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    if (!_hasFailed) failed?.Invoke(e);
                    _hasFailed = true;
                }
            }
        }
    }
}
