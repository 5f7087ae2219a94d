namespace StickyWs.Backends;

/// <summary>The lines of a pool, which survive its changes: one for each kind of work, since the limits are apart, too.</summary>
internal sealed class WaitLines
{
    private volatile PoolSnapshot? _current;

    public WaitLines(TimeProvider time)
    {
        Requests = new WaitLine(LeaseKind.Request, time, this);
        Handshakes = new WaitLine(LeaseKind.Tunnel, time, this);
    }

    /// <summary>The pool as new work finds it, and after its removal as it was last. Written by the registry.</summary>
    public PoolSnapshot? Current
    {
        get => _current;
        set => _current = value;
    }

    public WaitLine Requests { get; }

    public WaitLine Handshakes { get; }

    public WaitLine Of(LeaseKind kind) => kind == LeaseKind.Request ? Requests : Handshakes;

    public void Look()
    {
        Requests.Look();
        Handshakes.Look();
    }

    public void Close()
    {
        Requests.Close();
        Handshakes.Close();
    }
}
