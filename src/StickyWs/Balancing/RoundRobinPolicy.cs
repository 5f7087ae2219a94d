using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>Each in turn, by weight, smoothly: a backend's turns are spread evenly over the cycle.</summary>
internal sealed class RoundRobinPolicy : ILoadBalancingPolicy
{
    public string Name => "RoundRobin";

    public int Pick(BackendSet candidates, uint turn) => candidates.InTurn(turn);
}
