using StickyWs.Backends;
using StickyWs.Balancing;

namespace StickyWs.Tests.Dispatch;

/// <summary>A policy as a user could write it.</summary>
internal sealed class OwnPolicy(Func<BackendSet, uint, int> pick, string name = "Own") : ILoadBalancingPolicy
{
    public string Name => name;

    public int Pick(BackendSet candidates, uint turn) => pick(candidates, turn);
}
