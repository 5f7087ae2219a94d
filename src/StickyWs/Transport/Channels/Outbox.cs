using System.Buffers;
using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>
/// Small sends of other threads than the reactor's. They are copied, and go out with all others of the reactor's turn in one call into the kernel; for
/// their sender they are sent, as if they were in the socket's own buffer. While one block of memory is being sent, another fills. An outbox that is
/// empty has no memory.
/// </summary>
/// <param name="channel">Its channel, whose lock guards it.</param>
/// <param name="reactor">The channel's reactor.</param>
/// <param name="socket">The socket's number there.</param>
/// <param name="pool">Where its blocks come from.</param>
internal sealed class Outbox(Channel channel, Reactor reactor, int socket, MemoryPool<byte> pool) : IGatheredSend
{
    /// <summary>Bytes of a block. What does not fit is sent by a system call of its own.</summary>
    public const int Size = 4096;

    private IMemoryOwner<byte>? _filling;
    private IMemoryOwner<byte>? _leaving;
    private MemoryHandle _pin;
    private int _filled;
    private int _sent;
    private int _length;
    private bool _isPosted;
    private bool _isBlocked;
    private volatile bool _isAwaited;

    /// <summary>Whether it holds nothing. Under the lock.</summary>
    public bool IsEmpty => _filling is null && _leaving is null;

    /// <summary>Whether the kernel has no room for what is on its way. Under the lock.</summary>
    public bool IsBlocked => _isBlocked;

    /// <summary>Why bytes were lost that count as sent: nothing may follow them. Under the lock.</summary>
    public Errno Lost { get; private set; }

    /// <summary>Somebody waits for the end of this send.</summary>
    public bool IsAwaited => _isAwaited;

    unsafe (nint Start, int Length) IGatheredSend.Bytes => ((nint)_pin.Pointer + _sent, _length - _sent);

    /// <summary>Takes bytes, if they fit. Under the lock.</summary>
    /// <param name="bytes">Some bytes.</param>
    /// <param name="mustLaunch">Whether the caller has to have <see cref="Launch"/> called.</param>
    public bool TryTake(ReadOnlySpan<byte> bytes, out bool mustLaunch)
    {
        mustLaunch = false;
        if (_isBlocked || bytes.Length > Size - _filled) return false;
        _filling ??= pool.Rent(Size);
        bytes.CopyTo(_filling.Memory.Span[_filled..]);
        _filled += bytes.Length;
        mustLaunch = !_isPosted;
        _isPosted = true;
        return true;
    }

    /// <summary>Hands what has come together to the reactor, unless something is on its way. On the reactor's thread, not under the lock.</summary>
    public void Launch()
    {
        bool isBlocked;
        lock (channel.Lock)
        {
            _isPosted = false;
            isBlocked = _isBlocked; // By a flush.
            if (!isBlocked)
            {
                if (_leaving is not null || _filling is null) return;
                Swap();
            }
        }

        if (isBlocked) channel.AwaitRoomForOutbox();
        else if (!reactor.TryGather(socket, this)) GoOn(Errno.ECANCELED); // It has ended, and its streams with it.
    }

    /// <summary>There may be room again. On the reactor's thread, not under the lock.</summary>
    public void Retry()
    {
        lock (channel.Lock)
        {
            if (!_isBlocked) return;
            _isBlocked = false;
        }

        GoOn(Errno.None);
    }

    /// <summary>Sends what is held at once, if the reactor has none of it. Under the lock.</summary>
    /// <param name="error">Why it could not be sent; nothing is held then.</param>
    /// <returns>Whether nothing is held any more.</returns>
    public bool TryFlush(out Errno error)
    {
        error = Errno.None;
        if (_leaving is null && _filling is not null)
        {
            Swap();
            error = SendLeft();
        }

        return IsEmpty; // If not, it is with the reactor, or will be: its launch is due.
    }

    /// <summary>Has the channel told when nothing is held any more. Under the lock, and only while something is.</summary>
    public void Await() => _isAwaited = true;

    /// <summary>Returns whether somebody waited.</summary>
    public bool StopAwaiting()
    {
        var isAwaited = _isAwaited;
        _isAwaited = false;
        return isAwaited;
    }

    /// <summary>Drops all that no operation is under way for: the connection is reset, or closed. Under the lock.</summary>
    public void Drop()
    {
        DropFilling();
        if (_isBlocked) DropLeaving();
    }

    void IGatheredSend.Done(int result)
    {
        if (result > 0) _sent += result;
        GoOn(result < 0 && (Errno)(-result) is not (Errno.EAGAIN or Errno.EINTR) ? (Errno)(-result) : Errno.None);
    }

    // A send has ended, or a wait for room. What is left is tried once more before room is awaited: the report of it may have come before.
    private void GoOn(Errno error)
    {
        bool isEmpty, isBlocked, wasAwaited;
        lock (channel.Lock)
        {
            if (error == Errno.None) error = SendLeft();
            else Lose(error);
            (isEmpty, isBlocked) = (IsEmpty, _isBlocked);
            wasAwaited = isEmpty && StopAwaiting();
        }

        if (isBlocked)
        {
            channel.AwaitRoomForOutbox();
        }
        else if (!isEmpty)
        {
            Launch();
        }
        else
        {
            channel.OutboxLanded(error, wasAwaited);
        }
    }

    private void Swap()
    {
        (_leaving, _filling) = (_filling, null);
        (_length, _filled, _sent) = (_filled, 0, 0);
        _pin = _leaving!.Memory.Pin();
    }

    // By a system call. Nothing can follow what was lost.
    private Errno SendLeft()
    {
        if (_leaving is null) return Errno.None; // Dropped.
        while (_sent < _length)
        {
            var error = channel.TrySendForOutbox(_leaving.Memory.Span[_sent.._length], out var count);
            _sent += count;
            if (error is Errno.None or Errno.EINTR) continue;
            if (error == Errno.EAGAIN)
            {
                _isBlocked = true;
                return Errno.None;
            }

            Lose(error);
            return error;
        }

        DropLeaving();
        return Errno.None;
    }

    // Unless the channel is closed already.
    private void Lose(Errno error)
    {
        if (error != Errno.ECANCELED) Lost = error;
        DropFilling();
        DropLeaving();
    }

    private void DropFilling()
    {
        _filling?.Dispose();
        (_filling, _filled) = (null, 0);
    }

    private void DropLeaving()
    {
        _pin.Dispose();
        _leaving?.Dispose();
        (_leaving, _pin, _isBlocked) = (null, default, false);
    }
}
