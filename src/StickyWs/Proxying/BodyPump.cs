using System.Net;

namespace StickyWs.Proxying;

/// <summary>
/// A client's body on its way to a backend. It is taken from the client once, by YARP, which writes it here; from here it goes to the attempt under way, and waits while there is none. A later attempt
/// gets first what an earlier one got, as far as that was kept.
/// </summary>
internal sealed class BodyPump(HttpContent body, BodyGate? gate, long? length) : WriteOnlyStream
{
    private readonly Lock _lock = new();
    private BodyTarget? _target;
    private TaskCompletionSource? _wanted;
    private KeptBytes _kept;
    private Task? _pumping;
    private long _taken;
    private bool _isReplaying;
    private bool _isWriting;
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
            lock (_lock) return _isWhole || (!_isWriting && !_isOutputBroken && _taken == length);
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
            lock (_lock) return _pumping is not null && !_isWriting && !_isWhole && !_isOutputBroken && _taken != length;
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
            if (!isWhole && _pumping is { } pumping) await pumping.ConfigureAwait(false); // What it still writes, the connection drops.
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

    /// <summary>No attempt will follow.</summary>
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
            lock (_lock) _isWriting = false;
        }
        catch (Exception e)
        {
            var isOver = IsOverAfterFailure(cancellationToken.IsCancellationRequested);
            target.Fail(e);
            if (isOver) throw;
        }
    }

    private async ValueTask ReplayAsync(BodyTarget target, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> kept;
        lock (_lock)
        {
            if (!_kept.IsWhole) throw new NotRepeatableException();
            kept = _kept.Bytes;
            (_target, _isReplaying) = (null, true); // What comes now is not for an attempt that is ending.
        }

        try
        {
            if (!kept.IsEmpty) await target.SendAsync(kept, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock) _isReplaying = false;
        }
    }

    private void Attach(BodyTarget target, TransportContext? context, CancellationToken taking)
    {
        lock (_lock)
        {
            _target = target;
            _wanted?.TrySetResult();
            _wanted = null;
            if (_isWhole || _isUnwanted) target.Finish(_isWhole);
            else if (_clientFailure is not null) target.Fail(new NotRepeatableException());
        }

        _pumping ??= _isUnwanted ? Task.CompletedTask : PumpAsync(context, taking);
    }

    // A write under way fails too, and tells why.
    private void EndAttempt(BodyTarget target, OperationCanceledException reason)
    {
        lock (_lock)
        {
            if (_target == target)
            {
                if (_isWriting) return;
                _target = null;
            }
        }

        target.Fail(reason);
    }

    private async Task PumpAsync(TransportContext? context, CancellationToken taking)
    {
        Exception? failure = null;
        try
        {
            await body.CopyToAsync(this, context, taking).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }

        // YARP's content swallows what goes wrong on the backend's side and throws what goes wrong on the client's.
        BodyTarget? target;
        lock (_lock)
        {
            if (_isUnwanted || _isOutputBroken) return;
            (_isWhole, _clientFailure) = (failure is null, failure is OperationCanceledException ? null : failure);
            target = _target;
        }

        if (failure is null) target?.Finish(isWhole: true);
        else target?.Fail(failure);
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
                    _isWriting = true;
                    return target;
                }

                wanted = (_wanted ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await wanted.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsOverAfterFailure(bool isCancelled)
    {
        lock (_lock)
        {
            _isWriting = false;
            if (_isUnwanted) return false;
            return _isOutputBroken = isCancelled || !_kept.IsWhole;
        }
    }
}
