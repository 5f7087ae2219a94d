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
        if (filter is { MinIdle.Ticks: <= 0, MaxIdle: null, MinRate: <= 0, Upstream: null })
            return await reader.ReadAsync(tunnels.Find(match.Fits, filter.Limit), cancellationToken).ConfigureAwait(false);
        return (await FindAsync(filter, TunnelOrder.Oldest, null, isReversed: false, cancellationToken).ConfigureAwait(false)).Tunnels;
    }

    public async Task<TunnelPage> FindAsync(
        TunnelFilter filter, TunnelOrder order, TunnelPlace? after, bool isReversed, CancellationToken cancellationToken)
    {
        var (found, active) = await FindAsync(filter, order == TunnelOrder.Idlest, cancellationToken).ConfigureAwait(false);
        var places = PlacesOf(found, active, order);
        if (isReversed) Array.Sort(places, found, Comparer<TunnelPlace>.Create(static (one, other) => other.CompareTo(one)));
        else Array.Sort(places, found);
        var first = after is not { } last ? 0 : Array.FindIndex(places, place => isReversed ? place.CompareTo(last) < 0 : place.CompareTo(last) > 0);
        Tunnel[] page = first < 0 ? [] : [.. found.Skip(first).Take(filter.Limit)];
        return new TunnelPage
        {
            Tunnels = await reader.ReadAsync(page, cancellationToken, rates.Look(page)).ConfigureAwait(false),
            Fitting = found.Length,
            Open = tunnels.Count,
            Next = page.Length > 0 && first + page.Length < found.Length ? places[first + page.Length - 1].ToString() : null,
        };
    }

    /// <summary>Counts those that fit, by where they come from and where they lead.</summary>
    public async Task<TunnelFlows> CountAsync(TunnelFilter filter, CancellationToken cancellationToken)
    {
        var (found, _) = await FindAsync(filter, needsActive: false, cancellationToken).ConfigureAwait(false);
        return new TunnelFlows { Flows = FlowCount.Of(found), Fitting = found.Length, Open = tunnels.Count };
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

    private TunnelPlace[] PlacesOf(Tunnel[] found, long[]? active, TunnelOrder order)
    {
        var places = new TunnelPlace[found.Length];
        var known = order == TunnelOrder.Fastest ? rates.Look(found) : [];
        for (var i = 0; i < found.Length; i++)
        {
            places[i] = new TunnelPlace(order switch
            {
                TunnelOrder.Oldest => found[i].OpenedAt,
                TunnelOrder.Newest => -found[i].OpenedAt,
                TunnelOrder.Idlest => active![i], // As time goes by, this stays.
                TunnelOrder.Busiest => -(found[i].BytesToBackend + found[i].BytesToClient),
                TunnelOrder.Fastest => -(long)((known[i]?.Both ?? 0) * 1000),
                TunnelOrder.Sampled => Spread(found[i].ConnectionId),
                _ => 0,
            }, TextOf(found[i], order), found[i].ConnectionId);
        }

        return places;
    }

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
