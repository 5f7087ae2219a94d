using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A client's body on its way to a backend. YARP reads it from the client once and writes it here; from here it goes to the current attempt, and
/// waits while there is none. A later attempt first gets what an earlier one got, as far as that was kept.
/// </summary>
internal sealed class BodyPump(HttpContent body, BodyGate? gate, long? length) : WriteOnlyStream
{
    private readonly Lock _lock = new();
    private BodyTarget? _target;
    private TaskCompletionSource? _wanted;
    private KeptBytes _kept;
    private readonly TaskCompletionSource _pumped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isPumping;
    private long _taken;
    private bool _isReplaying;
    private bool _isSettled;
    private BodyTarget? _writingTo;
    private bool _isWhole;
    private bool _isUnwanted;
    private bool _isOutputBroken;
    private Exception? _clientFailure;

    /// <summary>The number of bytes taken from the client.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Whether the whole body was sent.</summary>
    public bool IsSent
    {
        get
        {
            lock (_lock) return _isWhole || (_writingTo is null && !_isOutputBroken && _taken == length);
        }
    }

    /// <summary>The exception of the client's side, if it did not deliver the whole body.</summary>
    public Exception? ClientFailure
    {
        get
        {
            lock (_lock) return _clientFailure;
        }
    }

    /// <summary>Whether the client is the one being waited for.</summary>
    public bool AwaitsClient
    {
        get
        {
            lock (_lock) return _isPumping && _writingTo is null && !_isWhole && !_isOutputBroken && _taken != length;
        }
    }

    /// <summary>Whether part of the body was not wanted.</summary>
    public bool IsUnwanted
    {
        get
        {
            lock (_lock) return _isUnwanted;
        }
    }

    /// <summary>Whether another attempt could get everything that was taken from the client.</summary>
    public bool CanRepeat
    {
        get
        {
            lock (_lock) return _kept.IsWhole && !_isUnwanted && _clientFailure is null && !_isOutputBroken;
        }
    }

    /// <summary>Sends the body to an attempt; one attempt at a time.</summary>
    /// <param name="target">The target of the attempt.</param>
    /// <param name="context">The connection's context.</param>
    /// <param name="taking">Passed to YARP, which reads the body from the client.</param>
    /// <param name="attempt">Ends the attempt.</param>
    /// <returns>Whether the whole body was sent; if not, the rest is not wanted.</returns>
    public async Task<bool> SendToAsync(BodyTarget target, TransportContext? context, CancellationToken taking, CancellationToken attempt)
    {
        await ReplayAsync(target, attempt).ConfigureAwait(false);
        Attach(target, context, taking);
        await using var ending = attempt.UnsafeRegister((_, token) => EndAttempt(target, new OperationCanceledException(token)), null).ConfigureAwait(false);
        try
        {
            var isWhole = await target.End.ConfigureAwait(false);
            if (!isWhole) await _pumped.Task.ConfigureAwait(false); // The connection drops what is still written.
            return isWhole;
        }
        finally
        {
            lock (_lock)
            {
                if (_target == target) _target = null;
            }
        }
    }

    /// <summary>The rest of the body is not wanted.</summary>
    public void GiveUp()
    {
        BodyTarget? target;
        lock (_lock)
        {
            if (_isWhole || _isUnwanted) return;
            _isUnwanted = true;
            target = _target;
            _wanted?.TrySetResult();
        }

        gate?.End();
        target?.Finish(isWhole: false);
    }

    /// <summary>No attempt will follow the current one, which may be answered before it has started to send.</summary>
    public void Settle()
    {
        lock (_lock)
        {
            _isSettled = true;
            if (_target is not null) _kept.Lose();
        }
    }

    /// <summary>The request is over.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            if (!_isReplaying) _kept.Lose();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (await TakeAsync(buffer, cancellationToken).ConfigureAwait(false) is not { } target) return;
        try
        {
            await target.SendAsync(buffer, cancellationToken).ConfigureAwait(false);
            EndWrite(target);
        }
        catch (Exception e)
        {
            var isOver = IsOverAfterFailure(target, cancellationToken.IsCancellationRequested);
            target.Fail(e);
            if (isOver) throw;
        }
    }

    private async ValueTask ReplayAsync(BodyTarget target, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> kept;
        BodyTarget? before;
        lock (_lock)
        {
            (before, _target) = (_target, null); // The client is not read meanwhile, or those bytes would be missing here.
            if (!_kept.IsWhole && _taken > 0) throw new NotRepeatableException();
            kept = _kept.Bytes;
            _isReplaying = true;
        }

        before?.Fail(new OperationCanceledException());

        try
        {
            if (!kept.IsEmpty) await target.SendAsync(kept, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _isReplaying = false;
        }
    }

    // The first caller starts the read from the client: an attempt may not have ended yet when the next begins.
    private void Attach(BodyTarget target, TransportContext? context, CancellationToken taking)
    {
        bool isFirst;
        lock (_lock)
        {
            (isFirst, _isPumping) = (!_isPumping, true);
            _target = target;
            if (_isSettled) _kept.Lose();
            _wanted?.TrySetResult();
            _wanted = null;
            if (_isWhole || _isUnwanted) target.Finish(_isWhole);
            else if (_clientFailure is not null) target.Fail(new NotRepeatableException());
        }

        if (isFirst) _ = PumpAsync(context, taking);
    }

    // A write in progress may fail too, and sets the reason; or it has just completed, and does not see the end.
    private void EndAttempt(BodyTarget target, OperationCanceledException reason)
    {
        lock (_lock)
        {
            if (_writingTo == target)
            {
                target.Ended = reason;
                return;
            }

            if (_target == target) _target = null;
        }

        target.Fail(reason);
    }

    private void EndWrite(BodyTarget target)
    {
        lock (_lock)
        {
            _writingTo = null;
            if (target.Ended is null) return;
            if (_target == target) _target = null;
        }

        target.Fail(target.Ended);
    }

    private async Task PumpAsync(TransportContext? context, CancellationToken taking)
    {
        try
        {
            if (!IsUnwanted) await body.CopyToAsync(this, context, taking).ConfigureAwait(false);
            Tell(null);
        }
        catch (Exception e)
        {
            Tell(e);
        }

        _pumped.SetResult();
    }

    // YARP's content swallows failures of the backend's side and throws those of the client's side.
    private void Tell(Exception? failure)
    {
        BodyTarget? target;
        lock (_lock)
        {
            if (_isUnwanted || _isOutputBroken) return;
            (_isWhole, _clientFailure) = (failure is null, IsCancellation(failure) ? null : failure);
            target = _target;
        }

        if (failure is null) target?.Finish(isWhole: true);
        else target?.Fail(failure);
    }

    // YARP wraps exceptions from reading.
    private static bool IsCancellation(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is OperationCanceledException) return true;
        }

        return false;
    }

    // Waits for an attempt to send to; null if the body is no longer wanted.
    private async ValueTask<BodyTarget?> TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wanted;
            lock (_lock)
            {
                if (_isUnwanted) return null;
                if (_target is { } target)
                {
                    if (target.IsKept) _kept.Add(bytes.Span);
                    else _kept.Lose();
                    _taken += bytes.Length;
                    return _writingTo = target;
                }

                wanted = (_wanted ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await wanted.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsOverAfterFailure(BodyTarget target, bool isCancelled)
    {
        lock (_lock)
        {
            _writingTo = null;
            if (_target == target) _target = null;
            if (_isUnwanted) return false;
            return _isOutputBroken = isCancelled || !_kept.IsWhole;
        }
    }
}
