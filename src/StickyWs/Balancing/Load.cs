using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>A backend's load: tunnels and requests under way, relative to its weight, of which a backend that warms up has a part.</summary>
internal static class Load
{
    public static bool IsLess(Backend a, Backend b) => Of(a) * b.FineWeight < Of(b) * a.FineWeight;

    /// <summary>The one that has the fewest tunnels for its weight with one more. Whose turn it is breaks ties.</summary>
    public static Backend Emptiest(BackendSet candidates, uint turn)
    {
        var best = candidates[candidates.InTurn(turn)];
        foreach (var candidate in candidates.Span)
        {
            if ((candidate.ActiveTunnels + 1) * best.FineWeight < (best.ActiveTunnels + 1) * candidate.FineWeight) best = candidate;
        }

        return best;
    }

    private static long Of(Backend backend) => (long)backend.ActiveTunnels + backend.ActiveRequests;
}
