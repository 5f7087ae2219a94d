using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>Smooth weighted round-robin: each backend's turns are spread evenly over the cycle.</summary>
internal sealed class RoundRobinPolicy : ILoadBalancingPolicy
{
    public string Name => "RoundRobin";

    public bool HonoursSlowStart => true;

    public int Pick(BackendSet candidates, uint turn) => candidates.InTurn(turn);
}
