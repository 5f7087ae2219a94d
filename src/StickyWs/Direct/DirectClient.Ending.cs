using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Http1;

namespace StickyWs.Direct;

// How a client leaves the lane: to Kestrel, to a tunnel, in order, or broken.
internal sealed partial class DirectClient
{
    private const long LongestLinger = 5000;

    private int _untaken;
    private long _takesUntil;

    // The bytes that were sent, and that it has not acknowledged.
    private int Untaken => _desk.Reactor.Unacknowledged(_socket.Number);

    /// <summary>Clients are no longer waited for: an idle connection ends now, another one with its answer. From any thread.</summary>
    public void Leave() => _desk.Reactor.Run(() =>
    {
        _isLeaving = true;
        if (_phase == Phase.Idle) GoOn();
    });

    /// <summary>Breaks the connection. From any thread.</summary>
    public void Abort() => _desk.Reactor.Run(Break);

    /// <summary>Answers a head that did not arrive in time, and closes.</summary>
    public void Refuse(Refusal refusal)
    {
        Send(refusal.ToBytes());
        BeginClosing();
    }

    /// <summary>The client is gone, or is to be: whatever is under way for it ends.</summary>
    public void Break()
    {
        if (_phase == Phase.Over) return;
        var wasBusy = _phase == Phase.Busy;
        Close(isReset: true);
        if (wasBusy) _exchange.ClientHasLeft();
    }

    /// <summary>Goes on with what waits until all that was sent is with the kernel.</summary>
    /// <returns>Whether there is nothing more to wait for here.</returns>
    public bool TrySettle()
    {
        if (_phase is not (Phase.HandingOn or Phase.Closing)) return true;
        if (_phase == Phase.Closing && !_hasFinished) return true; // Its end is awaited, or its time.
        if (_phase == Phase.HandingOn) SetPaused(true);
        if (_isFull) return true; // Goes on when it is told of room.
        if (!_socket.HasTaken || (_phase == Phase.HandingOn && _isUpgrade && !_connection.TryTakeBack()))
        {
            _desk.Settle(this);
            return false;
        }

        if (_phase == Phase.Closing) Close(isReset: false);
        else HandOn();
        return true;
    }

    /// <summary>Keeps the limits of time.</summary>
    /// <returns>Always <see langword="true"/>.</returns>
    public bool LookAtTime()
    {
        if (_isFull && _phase != Phase.Closing) NoteTaken();
        var (limits, waited) = (_desk.Services.Limits, _desk.Reactor.Now - _since);
        LookAtApp(limits);
        if (_phase == Phase.Busy) _exchange.LookAtTime(limits);
        else if (_phase == Phase.Closing) LookAtLinger(waited);
        else if (_phase == Phase.HandingOn || (_phase == Phase.Idle && _isFull))
        {
            if (waited >= limits.KeepAlive) Break();
        }
        else if (_phase == Phase.Idle)
        {
            if (!_carry.IsEmpty && waited >= limits.HeadTime) Refuse(Refusal.HeadTimedOut);
            else if (_carry.IsEmpty && waited >= limits.KeepAlive) BeginClosing();
        }

        if (_isFull && _phase is not (Phase.InApp or Phase.Closing or Phase.Over) && _desk.Reactor.Now >= _takesUntil) Break();
        return true;
    }

    // What is here has to go at the rate at least.
    private static long TimeFor(int count, MinDataRate rate) => (long)(rate.GracePeriod.TotalMilliseconds + (count * 1000.0 / rate.BytesPerSecond));

    // There may be no room for long, and yet it takes what it can.
    private void NoteTaken()
    {
        var untaken = Untaken;
        if (untaken < _untaken)
        {
            _exchange.NoteMoved();
            if (_phase is Phase.Idle or Phase.InApp) _since = _desk.Reactor.Now;
        }

        _untaken = untaken;
    }

    // A client that still takes some of its answer gets more time.
    private void LookAtLinger(long waited)
    {
        if (waited < LongestLinger) return;
        var untaken = Untaken;
        if (untaken <= 1 || (_untaken > 0 && untaken >= _untaken)) Close(isReset: untaken > 1);
        else (_untaken, _since) = (untaken, _desk.Reactor.Now);
    }

    // Unread bytes would turn the close into a reset, and lose the answer on its way (RFC 9112 section 9.6): so a FIN first, then all is dropped that comes.
    private void BeginClosing()
    {
        (_phase, _since, _untaken) = (Phase.Closing, _desk.Reactor.Now, 0);
        EndApp();
        if (!_isUsing) _carry.Clear();
        _socket.FinishSending();
        SetPaused(false);
        TrySettle();
    }

    private void HandOn()
    {
        var prefix = _carry.Bytes.ToArray();
        _carry.Clear();
        _phase = Phase.Over;
        _desk.Remove(this);
        EndApp();
        if (_isUpgrade)
        {
            _done.TrySetResult(_socket.Leave(prefix));
            return;
        }

        try
        {
            _connection.TakeBack(_socket.Release(prefix, _hasFinished));
        }
        finally
        {
            _done.TrySetResult(Departure.ToKestrel);
        }
    }

    private void Close(bool isReset)
    {
        _phase = Phase.Over;
        _desk.Remove(this);
        EndApp();
        if (!_isUsing) _carry.Clear();
        _socket.Close(isReset);
        _done.TrySetResult(Departure.None);
    }
}
