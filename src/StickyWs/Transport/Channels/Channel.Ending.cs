using StickyWs.Kernel;

namespace StickyWs.Transport;

// The end of the input, and of the connection.
internal sealed partial class Channel
{
    // Used on the reactor's thread only.
    private bool _hasFin;
    private bool _isTold;

    /// <summary>Closes the connection. Only the first call counts.</summary>
    /// <param name="reason">The error that readers get from now on.</param>
    /// <param name="isReset">Whether the peer gets an RST.</param>
    public void Close(Exception reason, bool isReset)
    {
        bool isHeld;
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            _reason = reason;
            isHeld = !isReset && HoldsUnsent();
            isReset |= _outbox is { Lost: not Errno.None }; // An end in order would look like the whole.
            _isGone = !isHeld;
            if (isReset) _outbox?.Drop();
            else if (!isHeld) _ = Libc.Shutdown(_fd, Libc.SHUT_WR); // Otherwise a peer whose bytes were not received might get an RST before the last data.
        }

        _lent?.Dispose();
        _room.Signal();
        _reactor.Run(() =>
        {
            try
            {
                if (isHeld) HoldOpen();
                else _reactor.Close(_socket, isReset);
            }
            finally
            {
                DisposeTls();
                End(null);
            }
        });
    }

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
