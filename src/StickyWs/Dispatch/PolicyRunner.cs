using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Observability;

namespace StickyWs.Dispatch;

/// <summary>Runs a policy that may be the user's own: a wrong place or an exception costs one log line, and the rotation decides.</summary>
internal sealed partial class PolicyRunner(ILoadBalancingPolicy policy, ILogger<PolicyRunner> logger)
{
    private int _hasComplained;

    public int Pick(BackendSet candidates, uint turn)
    {
        if (candidates.Count == 1) return 0;
        try
        {
            var place = policy.Pick(candidates, turn);
            if ((uint)place < (uint)candidates.Count) return place;
            Complain($"it picked place {place} of {candidates.Count}", null);
        }
#pragma warning disable CA1031 // The user's code must not take requests down with it.
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
        "Policy {Policy} misbehaved ({What}); the rotation decides in its place. This is logged once",
        EventName = "PolicyMisbehaved")]
    private partial void LogMisbehaved(string policy, string what, Exception? exception);
}
