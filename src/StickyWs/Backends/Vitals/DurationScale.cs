using System.Numerics;

namespace StickyWs.Backends;

/// <summary>
/// Durations in buckets that grow with them, four to each doubling, from 1 µs to 19 hours: so a quantile is off by an eighth at most, and a
/// duration is counted without a lock and without memory.
/// </summary>
internal static class DurationScale
{
    public const int Count = 36 * PerDoubling;

    private const int PerDoubling = 4;

    /// <summary>The bucket of a duration; what is shorter or longer than the scale is in its first or last one.</summary>
    public static int IndexOf(TimeSpan duration)
    {
        var micros = (ulong)Math.Max(1, duration.Ticks / TimeSpan.TicksPerMicrosecond);
        var doubling = BitOperations.Log2(micros);
        var part = (int)(doubling >= 2 ? micros >> (doubling - 2) : micros << (2 - doubling)) & (PerDoubling - 1);
        return Math.Min((doubling * PerDoubling) + part, Count - 1);
    }

    /// <summary>The duration in the middle of a bucket.</summary>
    public static TimeSpan At(int index)
    {
        var width = Math.ScaleB(1.0 / PerDoubling, index / PerDoubling);
        return TimeSpan.FromMicroseconds(width * (PerDoubling + (index % PerDoubling) + 0.5));
    }

    /// <summary>A quantile of what was counted; <see langword="null"/> if nothing was.</summary>
    /// <param name="counts">How many durations are in each bucket.</param>
    /// <param name="part">Which part of them is shorter, from 0 to 1.</param>
    public static TimeSpan? Quantile(ReadOnlySpan<long> counts, double part)
    {
        long all = 0;
        foreach (var count in counts) all += count;
        if (all == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(all * part));
        var index = 0;
        while (rank > counts[index]) rank -= counts[index++];
        return At(index);
    }
}
