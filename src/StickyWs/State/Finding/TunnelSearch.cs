using System.Globalization;
using System.Net.Sockets;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>
/// Finds tunnels among many. What a tunnel knows itself is looked at first. Its reactor is asked only about what only that knows, and for what is shown.
/// </summary>
internal sealed class TunnelSearch(StateReader reader, TunnelTable tunnels, TunnelRates rates)
{
    /// <summary>Reads those that fit, in no order.</summary>
    public async Task<IReadOnlyList<TunnelStatus>> ReadAsync(TunnelFilter filter, CancellationToken cancellationToken)
    {
        var match = new TunnelMatch(filter, tunnels.Time);
        if (!IsAsked(filter))
            return await reader.ReadAsync(tunnels.Find(match.Fits, filter.Limit), cancellationToken).ConfigureAwait(false);
        return (await FindAsync(filter, TunnelOrder.Oldest, null, isReversed: false, cancellationToken).ConfigureAwait(false)).Tunnels;
    }

    public async Task<TunnelPage> FindAsync(
        TunnelFilter filter, TunnelOrder order, TunnelPlace? after, bool isReversed, CancellationToken cancellationToken)
    {
        var top = new TopTunnels(filter.Limit, after, isReversed);
        if (IsAsked(filter) || order == TunnelOrder.Idlest)
        {
            var (found, active) = await FindAsync(filter, order == TunnelOrder.Idlest, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < found.Length; i++) top.Add(found[i], PlaceOf(found[i], order, active?[i] ?? 0));
        }
        else
        {
            AddAll(top, filter, order, fromEnd: order == TunnelOrder.Newest != isReversed);
        }

        var (page, next) = top.Take();
        return new TunnelPage
        {
            Tunnels = await reader.ReadAsync(page, cancellationToken, rates.Look(page)).ConfigureAwait(false),
            Fitting = top.Added,
            Open = tunnels.Count,
            Next = next?.ToString(),
        };
    }

    /// <summary>Counts those that fit, by where they come from and where they lead.</summary>
    public async Task<TunnelFlows> CountAsync(TunnelFilter filter, CancellationToken cancellationToken)
    {
        var count = new FlowCount();
        if (IsAsked(filter))
        {
            var (found, _) = await FindAsync(filter, needsActive: false, cancellationToken).ConfigureAwait(false);
            foreach (var tunnel in found) count.Add(tunnel);
        }
        else
        {
            AddAll(count, filter);
        }

        return new TunnelFlows { Flows = count.Read(), Fitting = count.Added, Open = tunnels.Count };
    }

    // Whether a tunnel does not know itself if it fits.
    private static bool IsAsked(TunnelFilter filter)
        => filter.MinIdle > TimeSpan.Zero || filter.MaxIdle is not null || filter.MinRate > 0 || filter.Upstream is not null;

    // The first of the order are met first, as far as that is known, so that few are kept that better ones replace.
    private void AddAll(TopTunnels top, TunnelFilter filter, TunnelOrder order, bool fromEnd)
    {
        var match = new TunnelMatch(filter, tunnels.Time);
        using var open = tunnels.Borrow();
        var all = open.All;
        for (var i = 0; i < all.Length; i++)
        {
            var tunnel = all[fromEnd ? all.Length - 1 - i : i];
            if (match.Fits(tunnel)) top.Add(tunnel, PlaceOf(tunnel, order, 0));
        }
    }

    private void AddAll(FlowCount count, TunnelFilter filter)
    {
        var match = new TunnelMatch(filter, tunnels.Time);
        using var open = tunnels.Borrow();
        foreach (var tunnel in open.All)
        {
            if (match.Fits(tunnel)) count.Add(tunnel);
        }
    }

    private async Task<(Tunnel[] Found, long[]? Active)> FindAsync(TunnelFilter filter, bool needsActive, CancellationToken cancellationToken)
    {
        var found = tunnels.Find(new TunnelMatch(filter, tunnels.Time).Fits, int.MaxValue);
        long[]? active = null;
        if (filter.MinRate > 0)
        {
            var all = rates.Look(found);
            Keep(ref found, ref active, place => all[place]?.Both >= filter.MinRate);
        }

        if (filter.MinIdle > TimeSpan.Zero || filter.MaxIdle is not null || needsActive)
        {
            var now = Idleness.Milliseconds(tunnels.Time);
            var (longest, shortest) = (filter.MaxIdle?.TotalMilliseconds ?? double.MaxValue, filter.MinIdle.TotalMilliseconds);
            active = await Idleness.ReadLastActiveAsync(found, tunnels.Time).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (shortest > 0 || filter.MaxIdle is not null)
                Keep(ref found, ref active, place => (shortest <= 0 || active[place] <= now - shortest) && active[place] >= now - longest);
        }

        if (filter.Upstream is { } upstream)
        {
            var tuples = await StateReader.ReadTuplesAsync(found, cancellationToken).ConfigureAwait(false);
            Keep(ref found, ref active,
                place => tuples[place] is { } tuple && (TunnelMatch.Is(tuple.Source, upstream) || TunnelMatch.Is(tuple.Destination, upstream)));
        }

        return (found, active);
    }

    private static void Keep(ref Tunnel[] found, ref long[]? active, Func<int, bool> fits)
    {
        int[] kept = [.. Enumerable.Range(0, found.Length).Where(fits)];
        if (kept.Length == found.Length) return;
        var (all, times) = (found, active);
        found = [.. kept.Select(place => all[place])];
        if (times is not null) active = [.. kept.Select(place => times[place])];
    }

    private TunnelPlace PlaceOf(Tunnel tunnel, TunnelOrder order, long lastActive) => new(order switch
    {
        TunnelOrder.Oldest => tunnel.OpenedAt,
        TunnelOrder.Newest => -tunnel.OpenedAt,
        TunnelOrder.Idlest => lastActive, // As time goes by, this stays.
        TunnelOrder.Busiest => -(tunnel.BytesToBackend + tunnel.BytesToClient),
        TunnelOrder.Fastest => -(long)((rates.Look(tunnel)?.Both ?? 0) * 1000),
        TunnelOrder.Sampled => Spread(tunnel.ConnectionId),
        _ => 0,
    }, TextOf(tunnel, order), tunnel.ConnectionId);

    private static string TextOf(Tunnel tunnel, TunnelOrder order) => order switch
    {
        TunnelOrder.Client when tunnel.Tuple is { Source: var client } => AddressText(client),
        TunnelOrder.Backend => $"{tunnel.Backend.Pool.ToUpperInvariant()}\0{tunnel.Backend.Name.ToUpperInvariant()}",
        TunnelOrder.Lane when tunnel.Reactor is { } reactor => string.Create(CultureInfo.InvariantCulture, $"{reactor.KernelName} {reactor.Number:D4}"),
        TunnelOrder.Lane => tunnel.Lane,
        TunnelOrder.Pin when tunnel.Pin is var pin && pin != default => pin.ToString("x32", CultureInfo.InvariantCulture),
        _ => "",
    };

    // In the order of numbers: IPv4 as IPv6 has it, and so all IPv4 together.
    private static string AddressText(Kernel.RawAddress client)
    {
        var address = client.Address;
        if (address.AddressFamily == AddressFamily.InterNetwork) address = address.MapToIPv6();
        return string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(address.GetAddressBytes())}{client.Port:D5}");
    }

    // Ids count up; this is in no order, and for each id always the same (FNV-1a, and then a round of mixing).
    private static long Spread(string id)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in id) hash = (hash ^ c) * 1099511628211UL;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        return (long)(hash ^ (hash >> 33));
    }
}
