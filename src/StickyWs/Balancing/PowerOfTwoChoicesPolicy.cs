using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>
/// The less loaded of two backends drawn at random by weight. This avoids the herd effect when several balancers see the same idle backend at once
/// (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").
/// </summary>
internal sealed class PowerOfTwoChoicesPolicy : ILoadBalancingPolicy
{
    public string Name => "PowerOfTwoChoices";

    public bool HonoursSlowStart => true;

    public int Pick(BackendSet candidates, uint turn)
    {
        var first = candidates.InTurn(Scramble(turn));
        var second = candidates.InTurn(Scramble(~turn));
        if (first == second) second = (first + 1) % candidates.Count;
        return Load.IsLess(candidates[second], candidates[first]) ? second : first;
    }

    // The finalizer of a 32-bit hash: consecutive turns give draws that look independent, and tests can repeat them.
    private static uint Scramble(uint x)
    {
        x ^= x >> 16;
        x *= 0x7feb352d;
        x ^= x >> 15;
        x *= 0x846ca68b;
        return x ^ (x >> 16);
    }
}
