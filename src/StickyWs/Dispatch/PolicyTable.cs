using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using StickyWs.Balancing;

namespace StickyWs.Dispatch;

/// <summary>The registered policies by name. The last registration of a name wins, so that users can replace ours.</summary>
internal sealed class PolicyTable
{
    private readonly FrozenDictionary<string, PolicyRunner> _runners;

    public PolicyTable(IEnumerable<ILoadBalancingPolicy> policies, ILogger<PolicyRunner> logger)
        => _runners = policies
            .GroupBy(policy => policy.Name, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(group => group.Key, group => new PolicyRunner(group.Last(), logger), StringComparer.OrdinalIgnoreCase);

    /// <summary>The policy of a name that the options validator has checked.</summary>
    public PolicyRunner Get(string name) => _runners[name];
}
