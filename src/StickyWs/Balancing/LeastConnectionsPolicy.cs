using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>
/// The backend with the least load for its weight. Round-robin breaks ties, so that an idle pool is used evenly. One that warms up has next to no load, so
/// all choices would fall on it: the caller follows a part of them only.
/// </summary>
internal sealed class LeastConnectionsPolicy : ILoadBalancingPolicy
{
    public string Name => "LeastConnections";

    public bool HonoursSlowStart => false;

    public int Pick(BackendSet candidates, uint turn)
    {
        var best = candidates.InTurn(turn);
        for (var i = 0; i < candidates.Count; i++)
        {
            if (Load.IsLess(candidates[i], candidates[best])) best = i;
        }

        return best;
    }
}
