namespace StickyWs.Backends;

/// <summary>One counted use of a backend. Its holder disposes it exactly once; policies and limits use the count.</summary>
/// <param name="backend">The backend.</param>
/// <param name="kind">What it is for.</param>
/// <param name="end">Is told when it ends.</param>
/// <param name="isShaking">Whether it also counts among the handshakes in progress.</param>
internal readonly struct Lease(Backend backend, LeaseKind kind, ILeaseEnd? end = null, bool isShaking = false) : IDisposable
{
    public Backend Backend => backend;

    /// <summary>What leads its client to this backend again.</summary>
    public ClientTie Tie => end?.Tie ?? ClientTie.None;

    /// <summary>The client's pin; 0 for none.</summary>
    public UInt128 Pin => end?.Pin ?? default;

    /// <summary>Lets its client go elsewhere when it comes back.</summary>
    public void Release() => end?.Release(backend);

    /// <summary>Ends the handshake, whose place is free from now on. The result replaces this lease, which must not be disposed any more.</summary>
    public Lease Shaken()
    {
        if (isShaking) backend.ReturnHandshake();
        return new Lease(backend, kind, end);
    }

    /// <summary>Another one is told when it ends. The result replaces this lease, which must not be disposed any more.</summary>
    public Lease EndingWith(ILeaseEnd other) => new(backend, kind, other, isShaking);

    /// <summary>A tunnel has opened.</summary>
    public void TunnelOpened() => end?.TunnelOpened();

    public void Dispose()
    {
        backend.Return(kind, isShaking);
        end?.LeaseEnded(backend);
    }
}
