using System.Net;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>
/// Finds tunnels among many. What a tunnel knows itself is looked at first. Its reactor is asked only about what only that knows, and for what is shown.
/// </summary>
internal sealed class TunnelSearch(StateReader reader, TunnelTable tunnels)
{
    /// <summary>Reads those that fit, in no order.</summary>
    public async Task<IReadOnlyList<TunnelStatus>> ReadAsync(TunnelFilter filter, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(filter.Limit);
        if (filter.MinIdle <= TimeSpan.Zero && filter.Upstream is null)
            return await reader.ReadAsync(tunnels.Find(tunnel => Fits(tunnel, filter), filter.Limit), cancellationToken).ConfigureAwait(false);
        return (await FindAsync(filter, TunnelOrder.Oldest, TunnelPlace.First, cancellationToken).ConfigureAwait(false)).Tunnels;
    }

    public async Task<TunnelPage> FindAsync(TunnelFilter filter, TunnelOrder order, TunnelPlace after, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(filter.Limit);
        var found = tunnels.Find(tunnel => Fits(tunnel, filter), int.MaxValue);
        long[]? active = null;
        if (filter.MinIdle > TimeSpan.Zero || order == TunnelOrder.Idlest)
        {
            var now = Idleness.Milliseconds(tunnels.Time);
            active = await Idleness.ReadLastActiveAsync(found, tunnels.Time).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (filter.MinIdle > TimeSpan.Zero) Keep(ref found, ref active, place => active[place] <= now - filter.MinIdle.TotalMilliseconds);
        }

        if (filter.Upstream is { } upstream)
        {
            var tuples = await StateReader.ReadTuplesAsync(found, cancellationToken).ConfigureAwait(false);
            Keep(ref found, ref active, place => tuples[place] is { } tuple && (Is(tuple.Source, upstream) || Is(tuple.Destination, upstream)));
        }

        var places = PlacesOf(found, active, order);
        Array.Sort(places, found);
        var first = Array.FindIndex(places, place => place.CompareTo(after) > 0);
        Tunnel[] page = first < 0 ? [] : [.. found.Skip(first).Take(filter.Limit)];
        return new TunnelPage
        {
            Tunnels = await reader.ReadAsync(page, cancellationToken).ConfigureAwait(false),
            Fitting = found.Length,
            Open = tunnels.Count,
            Next = page.Length > 0 && first + page.Length < found.Length ? places[first + page.Length - 1].ToString() : null,
        };
    }

    private bool Fits(Tunnel tunnel, TunnelFilter filter)
        => Fits(tunnel.Backend.Pool, filter.Pool) && Fits(tunnel.Backend.Name, filter.Backend)
            && (filter.Id is null || filter.Id == tunnel.ConnectionId)
            && FitsClient(tunnel, filter)
            && (filter.MinAge <= TimeSpan.Zero || tunnels.Time.GetElapsedTime(tunnel.OpenedAt) >= filter.MinAge);

    private static bool FitsClient(Tunnel tunnel, TunnelFilter filter)
    {
        if (filter.Client is null && filter.ClientPort is null) return true;
        return tunnel.Tuple is { } tuple
            && (filter.ClientPort is null || filter.ClientPort == tuple.Source.Port)
            && filter.Client?.Contains(Plain(tuple.SourceAddress)) != false;
    }

    private static void Keep(ref Tunnel[] found, ref long[]? active, Func<int, bool> fits)
    {
        int[] kept = [.. Enumerable.Range(0, found.Length).Where(fits)];
        if (kept.Length == found.Length) return;
        var (all, times) = (found, active);
        found = [.. kept.Select(place => all[place])];
        if (times is not null) active = [.. kept.Select(place => times[place])];
    }

    private static TunnelPlace[] PlacesOf(Tunnel[] found, long[]? active, TunnelOrder order)
    {
        var places = new TunnelPlace[found.Length];
        for (var i = 0; i < found.Length; i++)
        {
            places[i] = new TunnelPlace(order switch
            {
                TunnelOrder.Oldest => found[i].OpenedAt,
                TunnelOrder.Newest => -found[i].OpenedAt,
                TunnelOrder.Idlest => active![i], // As time goes by, this stays.
                _ => -(found[i].BytesToBackend + found[i].BytesToClient),
            }, found[i].ConnectionId);
        }

        return places;
    }

    private static bool Is(Kernel.RawAddress address, IPEndPoint wanted) => address.Port == wanted.Port && Plain(address.Address).Equals(Plain(wanted.Address));

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool Fits(string name, string? wanted) => wanted is null || name.Equals(wanted, StringComparison.OrdinalIgnoreCase);
}
