using StickyWs.Backends;

namespace StickyWs.Draining;

/// <summary>What each of a pool's backends would have if tunnels were spread by weight. Pure.</summary>
internal static class FairShares
{
    /// <summary>
    /// Shares of a number of tunnels. A backend that may hold fewer than its share (<c>MaxTunnels</c>) has as many as it may, and the others have the rest
    /// by weight. If all are full, the sum is less than the number.
    /// </summary>
    /// <param name="backends">The backends.</param>
    /// <param name="tunnels">How many tunnels they have in all.</param>
    /// <param name="places">How many tunnels a backend may have; <see langword="null"/> for any number.</param>
    public static double[] Of(BackendSet backends, double tunnels, Func<Backend, int?> places)
    {
        var shares = new double[backends.Count];
        var isFull = new bool[backends.Count];
        while (true)
        {
            var (weight, left) = (0L, tunnels);
            for (var i = 0; i < shares.Length; i++)
            {
                if (isFull[i]) left -= shares[i];
                else weight += backends[i].FineWeight;
            }

            var hasFilled = false;
            for (var i = 0; i < shares.Length; i++)
            {
                if (isFull[i]) continue;
                shares[i] = left * backends[i].FineWeight / weight;
                if (places(backends[i]) is not { } most || shares[i] <= most) continue;
                (shares[i], isFull[i], hasFilled) = (most, true, true);
            }

            if (!hasFilled) return shares;
        }
    }
}
