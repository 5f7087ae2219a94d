using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>Gives back a place among those who are to come back (<see cref="Returns"/>) if it was of no use, and passes everything on.</summary>
internal sealed class ReturnLease(Returns returns, ILeaseEnd? also) : ILeaseEnd
{
    private int _isUsed;

    public ClientTie Tie => also?.Tie ?? ClientTie.None;

    public UInt128 Pin => also?.Pin ?? default;

    public void Release(Backend backend) => also?.Release(backend);

    /// <summary>The client has a tunnel, or is known at its backend: it has come back.</summary>
    public void Use() => Interlocked.Exchange(ref _isUsed, 1);

    public void TunnelOpened()
    {
        Use();
        also?.TunnelOpened();
    }

    public void LeaseEnded(Backend backend)
    {
        if (Interlocked.Exchange(ref _isUsed, 1) == 0) returns.Expect();
        also?.LeaseEnded(backend);
    }
}
