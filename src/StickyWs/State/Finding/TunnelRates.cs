using System.Runtime.InteropServices;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>
/// How many bytes a second tunnels carry: from one look at a tunnel to the next, so nothing is measured while nobody looks. Safe for concurrent use.
/// </summary>
internal sealed class TunnelRates(TunnelTable tunnels)
{
    // Two who look right after each other see the same.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Tunnel, Sample> _samples = [];

    /// <summary>Looks at tunnels.</summary>
    public TunnelRate?[] Look(IReadOnlyList<Tunnel> some)
    {
        var rates = new TunnelRate?[some.Count];
        var now = tunnels.Now;
        lock (_lock)
        {
            for (var i = 0; i < rates.Length; i++) rates[i] = Look(some[i], now);
            Prune();
        }

        return rates;
    }

    /// <summary>A tunnel has ended.</summary>
    public void Forget(Tunnel tunnel)
    {
        lock (_lock) _samples.Remove(tunnel);
    }

    /// <summary>Nobody looks any more.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _samples.Clear();
            _samples.TrimExcess();
        }
    }

    private TunnelRate? Look(Tunnel tunnel, long now)
    {
        ref var sample = ref CollectionsMarshal.GetValueRefOrAddDefault(_samples, tunnel, out var isKnown);
        var (toBackend, toClient) = (tunnel.BytesToBackend, tunnel.BytesToClient);
        var passed = isKnown ? tunnels.Time.GetElapsedTime(sample.At, now) : TimeSpan.Zero;
        if (isKnown && passed < Shortest) return sample.Rate;
        TunnelRate? rate = isKnown ? new((toBackend - sample.ToBackend) / passed.TotalSeconds, (toClient - sample.ToClient) / passed.TotalSeconds) : null;
        sample = new Sample(now, toBackend, toClient, rate);
        return rate;
    }

    // One that ended while it was looked at was forgotten before it was known.
    private void Prune()
    {
        if (_samples.Count < 2 * (tunnels.Count + 1000)) return;
        foreach (var gone in _samples.Keys.Where(tunnel => !tunnels.Holds(tunnel)).ToArray()) _samples.Remove(gone);
    }

    private readonly record struct Sample(long At, long ToBackend, long ToClient, TunnelRate? Rate);
}

/// <summary>Bytes a second.</summary>
internal readonly record struct TunnelRate(double ToBackend, double ToClient)
{
    public double Both => ToBackend + ToClient;
}
