namespace StickyWs.Tunnels;

/// <summary>
/// Kestrel treats a client's FIN as the end of an HTTP/1 request and aborts the connection. An upgraded connection would lose its half-close, and
/// with it whatever the backend still had to say. The connection middleware therefore puts this gate in front of <c>ConnectionClosed</c>. A tunnel in
/// the HTTP pipeline holds it shut, and reads the FIN from the stream instead.
/// </summary>
#pragma warning disable CA1001 // The source and the registration hold nothing but memory, and go away with the connection.
internal sealed class HalfCloseGate
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _lock = new();
    private bool _isHeld;
    private bool _isPending;

    public HalfCloseGate(CancellationToken connectionClosed)
    {
        Left = connectionClosed;
        connectionClosed.UnsafeRegister(static state => ((HalfCloseGate)state!).OnClosed(), this);
    }

    /// <summary>The connection's own token, held or not.</summary>
    public CancellationToken Left { get; }

    /// <summary>Fires when the connection's own token does, but not while held.</summary>
    public CancellationToken ConnectionClosed => _closed.Token;

    public void Hold()
    {
        lock (_lock) _isHeld = true;
    }

    public void Release()
    {
        lock (_lock)
        {
            _isHeld = false;
            if (!_isPending) return;
        }

        _closed.Cancel();
    }

    private void OnClosed()
    {
        lock (_lock)
        {
            _isPending = true;
            if (_isHeld) return;
        }

        _closed.Cancel();
    }
}
