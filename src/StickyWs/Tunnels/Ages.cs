using System.Runtime.CompilerServices;

namespace StickyWs.Tunnels;

/// <summary>
/// Which tunnels were open for too long (<c>Tunnels:MaxAge</c>), and which of them are to be told in this sweep. Those that have just come of age are told
/// at once: their ages are jittered. When many are over it at once, as after the age was set or lowered, a pool's are spread over half a minute at least,
/// or over the time of its hand-offs. Used on one thread.
/// </summary>
internal sealed class Ages(TimeProvider time)
{
    private const double LargestJitter = 0.1;

    // Few need not be spread: nobody is troubled by so many reconnects a second.
    private const double Pace = 10;

    private static readonly TimeSpan LeastSpread = TimeSpan.FromSeconds(30);

    // A sweep may come late.
    private static readonly TimeSpan Punctual = TimeSpan.FromSeconds(5);

    // Of pools whose tunnels are being spread: how many a second.
    private readonly Dictionary<string, double> _rates = new(StringComparer.OrdinalIgnoreCase);
    private long? _swept;

    /// <summary>For how long it is too old; negative if it is not.</summary>
    public TimeSpan Over(Tunnel tunnel)
    {
        if (tunnel.IsTooOld || tunnel.Backend.Options.Tunnels.MaxAge is not { } longest) return TimeSpan.MinValue;
        // The hash of an object is a random number that it has anyway, being in a set.
        var jitter = (uint)RuntimeHelpers.GetHashCode(tunnel) % 1024 / 1024.0;
        return time.GetElapsedTime(tunnel.OpenedAt) - (longest * (1 - (LargestJitter * jitter)));
    }

    /// <summary>Those to tell in this sweep.</summary>
    /// <param name="aged">All that are too old, and for how long.</param>
    public List<Tunnel> Due(IReadOnlyCollection<(Tunnel Tunnel, TimeSpan Over)> aged)
    {
        var now = time.GetTimestamp();
        var seconds = _swept is { } swept ? Math.Max(1, time.GetElapsedTime(swept, now).TotalSeconds) : 1;
        _swept = now;
        List<Tunnel> due = [.. aged.Where(one => one.Over < Punctual).Select(one => one.Tunnel)];
        var late = aged.Where(one => one.Over >= Punctual).GroupBy(one => one.Tunnel.Backend.Pool, one => one.Tunnel).ToArray();
        foreach (var done in _rates.Keys.Except(late.Select(pool => pool.Key)).ToArray()) _rates.Remove(done);
        foreach (var pool in late) due.AddRange(Share(pool.Key, [.. pool], seconds));
        return due;
    }

    // The rate stays as it was at the most, so that the end of a crowd is not drawn out.
    private IEnumerable<Tunnel> Share(string pool, Tunnel[] late, double seconds)
    {
        var over = late[0].Backend.Options.Drain.Over;
        var spread = over > LeastSpread ? over : LeastSpread;
        var rate = Math.Max(Math.Max(Pace, late.Length / spread.TotalSeconds), _rates.GetValueOrDefault(pool));
        _rates[pool] = rate;
        return late.Take((int)Math.Min(late.Length, Math.Ceiling(rate * seconds)));
    }
}
