using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>Which backend, and why: the pool's policy over those that may get new work, less those that were tried or are full.</summary>
internal sealed class Decision(PoolSnapshot pool, LeaseKind kind, PolicyRunner policy, int maxTunnels) : BackendChoice(pool, kind)
{
    private BackendSet _candidates = pool.Eligible;
    private Backend? _last;
    private bool _metFull;

    /// <summary>Why the backend that was given last was chosen.</summary>
    public DecisionReason Reason { get; private set; } = pool.IsPanicking ? DecisionReason.Panic : DecisionReason.Policy;

    public override bool TryNext(out Lease lease)
    {
        PassOverLast();
        while (_candidates.Count > 0)
        {
            _last = _candidates[policy.Pick(_candidates, Pool.Turns.Next())];
            switch (_last.TryLease(Kind, maxTunnels, out lease))
            {
                case LeaseResult.Granted:
                    Why = NoBackendReason.None;
                    return true;
                case LeaseResult.AllFull:
                    Why = NoBackendReason.Full;
                    return false;
                case LeaseResult.BackendFull:
                    _metFull = true;
                    PassOverLast();
                    break;
            }
        }

        lease = default;
        Why = _metFull ? NoBackendReason.Full : Pool.Eligible.Count == 0 ? NoBackendReason.NoneEligible : NoBackendReason.AllTried;
        return false;
    }

    private void PassOverLast()
    {
        if (_last is null) return;
        Reason = DecisionReason.Retry;
        _candidates = _candidates.Without(_last);
        _last = null;
    }
}
