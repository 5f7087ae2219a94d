using StickyWs.Kernel;

namespace StickyWs.Transport;

// Sends that wait for the reactor's turn, and the close that has to wait for them.
internal sealed partial class Channel
{
    // The last bytes wait for a peer that takes something, for a minute in all.
    private const int MostHolds = 12;
    private static readonly TimeSpan HoldStep = TimeSpan.FromSeconds(5);

    // Made for the first send that is gathered.
    private Outbox? _outbox;
    private Action? _launch;

    // The descriptor is to be closed, or is closed. Guarded by the lock.
    private bool _isGone;

    // Closed, in order, but what the outbox holds is not with the kernel yet. Used on the reactor's thread only, once closed.
    private bool _isHeldOpen;
    private int _holds;

    /// <summary>Guards the outbox.</summary>
    internal Lock Lock => _lock;

    /// <summary>Whether something that counts as sent is not with the kernel yet.</summary>
    public bool HasUnsent
    {
        get
        {
            lock (_lock)
            {
                if (_outbox is not { IsEmpty: false }) return false;
            }

            _reactor.Run(static () => { }); // It may have sent everything, and wait for something else.
            return true;
        }
    }

    private bool TryPost(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Outbox.Size || !_reactor.GathersSend()) return false;
        bool mustLaunch;
        lock (_lock)
        {
            if (_isClosed || _fault != Errno.None || Failure is not null || HasPeerFinished) return false; // Reported as by any other send.
            _outbox ??= new Outbox(this, _reactor, _socket, _memory);
            if (!_outbox.TryTake(bytes, out mustLaunch)) return false;
        }

        if (mustLaunch) _reactor.Run(_launch ??= _outbox.Launch);
        return true;
    }

    /// <summary>Sends by a system call. Under the lock.</summary>
    internal unsafe Errno TrySendForOutbox(ReadOnlySpan<byte> bytes, out int count)
    {
        count = 0;
        if (_isGone) return Errno.ECANCELED; // The descriptor may be another's.
        fixed (byte* start = bytes)
        {
            var sent = Libc.Send(_fd, start, (nuint)bytes.Length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
            if (sent < 0) return Libc.Error;
            count = (int)sent;
            return Errno.None;
        }
    }

    // Under the lock. Returns whether the next bytes may be sent; if not, its sender is told when they may. To wait for room on the socket would not do:
    // it may have some all the time.
    private bool FlushOutbox()
    {
        var isEmpty = _outbox!.TryFlush(out var error);
        if (!isEmpty) _outbox.Await();
        else if (_outbox.StopAwaiting()) _room.Signal();
        return error == Errno.None ? isEmpty : throw Failed(error);
    }

    // Under the lock: the close in order has to wait.
    private bool HoldsUnsent()
    {
        if (_outbox is not { IsEmpty: false } outbox || outbox.TryFlush(out _)) return false;
        outbox.Await();
        return true;
    }

    /// <summary>The kernel has no room for what the outbox holds. On the reactor's thread.</summary>
    internal void AwaitRoomForOutbox()
    {
        WatchHold();
        _reactor.AwaitRoom(_socket);
    }

    /// <summary>The outbox is empty. On the reactor's thread.</summary>
    /// <param name="error">Why its bytes were lost, if they were.</param>
    /// <param name="isAwaited">Whether that was waited for.</param>
    internal void OutboxLanded(Errno error, bool isAwaited)
    {
        if (error is not (Errno.None or Errno.ECANCELED)) _ = Failed(error); // The next send finds out, too.
        if (_isHeldOpen) FinishClosing(isReset: error != Errno.None);
        else if (isAwaited) ((Reactors.IStreamHandler)this).Sent(_socket);
    }

    // It may be empty by now.
    private void HoldOpen()
    {
        _isHeldOpen = true;
        bool isEmpty, isBlocked;
        lock (_lock) (isEmpty, isBlocked) = (_outbox!.IsEmpty, _outbox.IsBlocked);
        if (isEmpty) FinishClosing(isReset: false);
        else if (isBlocked) WatchHold();
    }

    private void FinishClosing(bool isReset)
    {
        if (!_isHeldOpen) return;
        _isHeldOpen = false;
        lock (_lock)
        {
            _isGone = true;
            _outbox!.Drop();
        }

        if (!isReset) _ = Libc.Shutdown(_fd, Libc.SHUT_WR);
        _reactor.Close(_socket, isReset);
    }

    private void WatchHold()
    {
        if (_isHeldOpen && _holds++ == 0) _ = WatchHoldAsync(_reactor.Acknowledged(_socket));
    }

    // The kernel reports room when a third of its buffer is free, and takes some long before.
    private async Task WatchHoldAsync(long acknowledged)
    {
        await Task.Delay(HoldStep, TimeProvider.System).ConfigureAwait(false);
        Run(() =>
        {
            if (_isHeldOpen) _outbox!.Retry();
            if (!_isHeldOpen) return;
            var now = _reactor.Acknowledged(_socket);
            if (now == acknowledged || _holds++ == MostHolds) FinishClosing(isReset: true);
            else _ = WatchHoldAsync(now);
        });
    }
}
