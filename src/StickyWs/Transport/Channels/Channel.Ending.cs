using StickyWs.Kernel;

namespace StickyWs.Transport;

// The end of the input, and of the connection.
internal sealed partial class Channel
{
    // Used on the reactor's thread only.
    private bool _hasFin;
    private bool _isTold;

    // The reader will read no more.
    private void Abandon()
    {
        if (_hasEnded) return;
        _reactor.Pause(_socket);
        End(null);
    }

    private void Break(Errno error) => End(error.ToConnectionException());

    private void End(Exception? reason)
    {
        try
        {
            EndInput(reason);
        }
        finally
        {
            Tell();
        }
    }

    private void Tell()
    {
        if (_isTold) return;
        _isTold = true;
        _owner.InputEnded();
    }

    private void EndInput(Exception? reason)
    {
        if (_hasEnded) return;
        _hasEnded = true;
        bool isClosed;
        lock (_lock) (isClosed, Failure) = (_isClosed, _reason ?? reason);
        Writer.Complete(_isReadToTheEnd && !isClosed ? null : Failure); // The reader may run within this call, and fail.
    }
}
