using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A client's body on its way to a backend. It is taken from the client once, by YARP, which writes it here; from here it goes to the attempt under
/// way, and waits while there is none. A later attempt gets first what an earlier one got, as far as that was kept.
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

    /// <summary>How much of it was taken from the client.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Whether all of it was sent.</summary>
    public bool IsSent
    {
        get
        {
            lock (_lock) return _isWhole || (_writingTo is null && !_isOutputBroken && _taken == length);
        }
    }

    /// <summary>What the client's side threw, when it did not deliver all of it.</summary>
    public Exception? ClientFailure
    {
        get
        {
            lock (_lock) return _clientFailure;
        }
    }

    /// <summary>Whether the client is who is waited for.</summary>
    public bool AwaitsClient
    {
        get
        {
            lock (_lock) return _isPumping && _writingTo is null && !_isWhole && !_isOutputBroken && _taken != length;
        }
    }

    /// <summary>Whether nobody wanted all of it.</summary>
    public bool IsUnwanted
    {
        get
        {
            lock (_lock) return _isUnwanted;
        }
    }

    /// <summary>Whether another attempt could get all that was taken from the client.</summary>
    public bool CanRepeat
    {
        get
        {
            lock (_lock) return _kept.IsWhole && !_isUnwanted && _clientFailure is null && !_isOutputBroken;
        }
    }

    /// <summary>Sends it to an attempt; one attempt at a time.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="context">The connection's.</param>
    /// <param name="taking">Given to YARP, which takes the body from the client.</param>
    /// <param name="attempt">Ends the attempt.</param>
    /// <returns>Whether all of it was sent; if not, nobody wants the rest.</returns>
    public async Task<bool> SendToAsync(BodyTarget target, TransportContext? context, CancellationToken taking, CancellationToken attempt)
    {
        await ReplayAsync(target, attempt).ConfigureAwait(false);
        Attach(target, context, taking);
        await using var ending = attempt.UnsafeRegister((_, token) => EndAttempt(target, new OperationCanceledException(token)), null).ConfigureAwait(false);
        try
        {
            var isWhole = await target.End.ConfigureAwait(false);
            if (!isWhole) await _pumped.Task.ConfigureAwait(false); // What it still writes, the connection drops.
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

    /// <summary>Nobody wants the rest.</summary>
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

    /// <summary>No attempt will follow the one under way, which may be answered before it has begun to send.</summary>
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
            (before, _target) = (_target, null); // Nothing is taken from the client meanwhile, or it would be missing here.
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

    // Whoever comes first has it taken from the client: an attempt may not have ended yet when the next begins.
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

    // A write under way may fail too, and tells why; or it has just done its work, and knows nothing of the end.
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

    // YARP's content swallows what goes wrong on the backend's side and throws what goes wrong on the client's.
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

    // YARP wraps what it meets while it reads.
    private static bool IsCancellation(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is OperationCanceledException) return true;
        }

        return false;
    }

    // Waits for somebody to send it to; nobody, when it is not wanted any more.
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
