using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Observability;

namespace StickyWs.Dispatch;

/// <summary>
/// Runs a policy, which may be the user's own. An index out of range or an exception costs one log line, and round-robin decides instead.
/// </summary>
internal sealed partial class PolicyRunner(ILoadBalancingPolicy policy, ILogger<PolicyRunner> logger)
{
    private int _hasComplained;

    public int Pick(BackendSet candidates, uint turn)
    {
        if (candidates.Count == 1) return 0;
        var index = PickAmong(candidates, turn);
        if (!candidates.IsWarming || policy.HonoursSlowStart || IsItsShare(candidates[index], turn) || candidates.Warm.Count == 0) return index;
        return candidates.IndexOf(candidates.Warm[PickAmong(candidates.Warm, turn)]);
    }

    // Which turns are within the share of a backend that warms up: spread evenly (multiples of the golden ratio), and the same each time they are asked for.
    private static bool IsItsShare(Backend backend, uint turn)
        => (ulong)(turn * 2_654_435_769u) * Backend.WholeShare >> 32 < (ulong)backend.Share;

    private int PickAmong(BackendSet candidates, uint turn)
    {
        try
        {
            var index = policy.Pick(candidates, turn);
            if ((uint)index < (uint)candidates.Count) return index;
            Complain($"it picked index {index} of {candidates.Count}", null);
        }
#pragma warning disable CA1031 // A failure of the user's code must not fail requests.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Complain("it threw", e);
        }

        return candidates.InTurn(turn);
    }

    private void Complain(string what, Exception? exception)
    {
        if (Interlocked.Exchange(ref _hasComplained, 1) == 0) LogMisbehaved(policy.Name, what, exception);
    }

    [LoggerMessage(EventIds.PolicyMisbehaved, LogLevel.Error,
        "Policy {Policy} misbehaved ({What}); round-robin decides instead. This is logged once",
        EventName = "PolicyMisbehaved")]
    private partial void LogMisbehaved(string policy, string what, Exception? exception);
}
