using StickyWs.Tls;

namespace StickyWs.Direct;

// TLS between the client and its requests.
internal sealed partial class DirectClient
{
    // Its close_notify has come.
    private bool _hasClosed;

    /// <summary>The version of its TLS, for lines; <see langword="null"/> without.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>Whether it speaks TLS.</summary>
    public bool IsHttps => _socket.Tls is not null;

    // What came with the handshake.
    private void TakeFirst(in TlsStart start)
    {
        if (!start.Plain.IsEmpty) Take(start.Plain.Span);
        if (start.End.Status == TlsStatus.PeerClosed) NoteClosed();
    }

    private void TakeRecords(ReadOnlySpan<byte> bytes)
    {
        var step = _socket.Open(bytes);
        if (step.Status == TlsStatus.Failed)
        {
            EndAfterAlert(); // Nothing can be answered, so nothing is done.
            return;
        }

        if (!step.Plain.IsEmpty) Take(step.Plain);
        if (step.Status == TlsStatus.PeerClosed) NoteClosed();
    }

    // It sends no more, and takes what it has asked for: as in Kestrel, only its FIN says that it has left.
    private void NoteClosed()
    {
        if (_hasClosed || _phase is Phase.Closing or Phase.Over) return;
        _hasClosed = true;
        GoOn();
    }

    // It broke TLS, and gets to know why. What is under way for it ends.
    private void EndAfterAlert()
    {
        if (_phase == Phase.Over) return;
        var wasBusy = _phase == Phase.Busy;
        BeginClosing();
        if (wasBusy) _exchange.ClientHasLeft();
    }
}
