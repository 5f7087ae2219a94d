namespace StickyWs.Backends;

/// <summary>One counted use of a backend. Its holder disposes it exactly once; policies and limits use the count.</summary>
internal readonly struct Lease(Backend backend, LeaseKind kind, ILeaseEnd? end = null) : IDisposable
{
    public Backend Backend => backend;

    public void Dispose()
    {
        backend.Return(kind);
        end?.LeaseEnded(backend);
    }
}
