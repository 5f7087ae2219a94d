namespace StickyWs.Connections;

// One for the handshake and, set anew, for what is inside; until there is nothing more to wait for.
internal sealed partial class TlsArrival
{
    private CancellationTokenSource? _deadline;
    private CancellationTokenRegistration _stopping;

    // The server's stop ends every wait as well.
    private CancellationTokenSource SetDeadline(TimeSpan time, TimeProvider clock)
    {
        _deadline?.CancelAfter(time);
        if (_deadline is { IsCancellationRequested: false }) return _deadline;
        DropDeadline(); // If there was one, it passed as the handshake ended.
        _deadline = new CancellationTokenSource(time, clock);
        _stopping = Stopping.UnsafeRegister(static deadline => ((CancellationTokenSource)deadline!).Cancel(), _deadline);
        return _deadline;
    }

    private void DropDeadline()
    {
        _stopping.Dispose();
        _deadline?.Dispose();
        (_stopping, _deadline) = (default, null);
    }
}
