using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>The end of the one request that tries a backend which traffic took out, beside whoever else wants to know of it.</summary>
internal sealed class TrialLease(ILeaseEnd? also) : ILeaseEnd
{
    public void LeaseEnded(Backend backend)
    {
        backend.EndTrial();
        also?.LeaseEnded(backend);
    }
}
