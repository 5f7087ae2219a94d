using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>
/// Two backends drawn at random by weight, the less loaded one wins. It avoids the herd that a least-loaded rule makes when several
/// balancers see the same idle backend at once (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").
/// </summary>
internal sealed class PowerOfTwoChoicesPolicy : ILoadBalancingPolicy
{
    public string Name => "PowerOfTwoChoices";

    public int Pick(BackendSet candidates, uint turn)
    {
        var first = candidates.InTurn(Scramble(turn));
        var second = candidates.InTurn(Scramble(~turn));
        if (first == second) second = (first + 1) % candidates.Count;
        return Load.IsLess(candidates[second], candidates[first]) ? second : first;
    }

    // A finalizer of a 32-bit hash: consecutive turns become independent-looking draws, and a test can repeat them.
    private static uint Scramble(uint x)
    {
        x ^= x >> 16;
        x *= 0x7feb352d;
        x ^= x >> 15;
        x *= 0x846ca68b;
        return x ^ (x >> 16);
    }
}
