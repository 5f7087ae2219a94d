namespace StickyWs.Backends;

/// <summary>One counted use of a backend. Its holder disposes it exactly once; the count is what policies and limits go by.</summary>
internal readonly struct Lease(Backend backend, LeaseKind kind, ILeaseEnd? end = null) : IDisposable
{
    public Backend Backend => backend;

    public void Dispose()
    {
        backend.Return(kind);
        end?.LeaseEnded(backend);
    }
}
