using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>Ends the trial of a suspended backend together with the lease of its one request, and passes the end on.</summary>
internal sealed class TrialLease(ILeaseEnd? also) : ILeaseEnd
{
    public ClientTie Tie => also?.Tie ?? ClientTie.None;

    public UInt128 Pin => also?.Pin ?? default;

    public void Release(Backend backend) => also?.Release(backend);

    public void TunnelOpened() => also?.TunnelOpened();

    public void LeaseEnded(Backend backend)
    {
        backend.EndTrial();
        also?.LeaseEnded(backend);
    }
}
