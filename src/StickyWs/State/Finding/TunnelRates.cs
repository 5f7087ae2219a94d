using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>
/// How many bytes a second tunnels carry: from one look at a tunnel to the next, so nothing is measured while nobody looks. Each tunnel keeps its own look, so
/// however many are looked at, none that ends meanwhile has to wait. Safe for concurrent use.
/// </summary>
internal sealed class TunnelRates(TunnelTable tunnels)
{
    // Two who look right after each other see the same.
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>Looks at tunnels.</summary>
    public TunnelRate?[] Look(Tunnel[] some)
    {
        var now = tunnels.Now;
        return Array.ConvertAll(some, tunnel => Look(tunnel, now));
    }

    /// <summary>Looks at one.</summary>
    public TunnelRate? Look(Tunnel tunnel) => Look(tunnel, tunnels.Now);

    /// <summary>Nobody looks any more.</summary>
    public void Clear()
    {
        using var open = tunnels.Borrow();
        foreach (var tunnel in open.All) tunnel.LastLook = null;
    }

    private TunnelRate? Look(Tunnel tunnel, long now) => Measure(tunnel, now) is var (toBackend, toClient) ? new TunnelRate(toBackend, toClient) : null;

    // Of two at a time the later one stays: both are true.
    private (double ToBackend, double ToClient)? Measure(Tunnel tunnel, long now)
    {
        var (last, toBackend, toClient) = (tunnel.LastLook, tunnel.BytesToBackend, tunnel.BytesToClient);
        var passed = last is null ? TimeSpan.Zero : tunnels.Time.GetElapsedTime(last.At, now);
        if (last is not null && passed < Shortest) return last.Rate;
        (double, double)? rate = last is null ? null : ((toBackend - last.ToBackend) / passed.TotalSeconds, (toClient - last.ToClient) / passed.TotalSeconds);
        tunnel.LastLook = new TunnelLook(now, toBackend, toClient, rate);
        return rate;
    }
}

/// <summary>Bytes a second.</summary>
internal readonly record struct TunnelRate(double ToBackend, double ToClient)
{
    public double Both => ToBackend + ToClient;
}
