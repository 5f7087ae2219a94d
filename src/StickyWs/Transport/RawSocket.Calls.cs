using StickyWs.Kernel;


namespace StickyWs.Transport;

// System calls.
internal sealed unsafe partial class RawSocket
{
    private const int MostSkipped = 1024 * 1024;

    private enum Skipped
    {
        Nothing,
        Some,
        End,
    }

    /// <summary>The local address; <see langword="null"/> once the descriptor was handed over, or if the connection is broken.</summary>
    public RawAddress? LocalAddress
    {
        get
        {
            lock (_lock) return _isGone ? null : SocketOptions.LocalAddress(fd);
        }
    }

    /// <summary>The same of the peer.</summary>
    public RawAddress? RemoteAddress
    {
        get
        {
            lock (_lock) return _isGone ? null : SocketOptions.RemoteAddress(fd);
        }
    }

    /// <summary>Discards this many peeked bytes.</summary>
    public void Skip(int count)
    {
        while (count > 0)
        {
            // For TCP this discards without copying (tcp(7), MSG_TRUNC).
            var skipped = Libc.Receive(fd, null, (nuint)count, Libc.MSG_TRUNC | Libc.MSG_DONTWAIT);
            if (skipped > 0) count -= (int)skipped;
            else if (skipped == 0 || Libc.Error != Errno.EINTR) throw new IOException("The peeked bytes are no longer there.");
        }
    }

    private Skipped TrySkipSome()
    {
        if (_isAborted) throw new IOException("The connection was aborted.");
        var skipped = Libc.Receive(fd, null, MostSkipped, Libc.MSG_TRUNC | Libc.MSG_DONTWAIT);
        if (skipped > 0) return Skipped.Some;
        if (skipped == 0) return Skipped.End;
        return Libc.Error switch
        {
            Errno.EAGAIN => Skipped.Nothing,
            Errno.EINTR => Skipped.Some,
            var error => throw error.ToIOException(),
        };
    }

    private int TryReceive(Span<byte> buffer, int flags)
    {
        fixed (byte* start = buffer)
        {
            while (!_isAborted)
            {
                var received = Libc.Receive(fd, start, (nuint)buffer.Length, flags | Libc.MSG_DONTWAIT);
                if (received >= 0) return (int)received;
                var error = Libc.Error;
                if (error == Errno.EAGAIN) return -1;
                if (error != Errno.EINTR) throw error.ToIOException();
            }
        }

        throw new IOException("The connection was aborted.");
    }

    /// <summary>Sends the last that there is to say. A peer that does not take it at once, or has gone, misses it.</summary>
    public void SendLast(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        try
        {
            _ = TrySend(bytes);
        }
        catch (IOException)
        {
            // Broken: there is nobody to tell.
        }
    }

    /// <summary>Sends what the kernel accepts at once.</summary>
    /// <returns>How many bytes that was.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public int TrySend(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (!_isAborted)
            {
                var sent = Libc.Send(fd, start, (nuint)bytes.Length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
                if (sent >= 0) return (int)sent;
                var error = Libc.Error;
                if (error == Errno.EAGAIN) return 0;
                if (error != Errno.EINTR) throw error.ToIOException();
            }
        }

        throw new IOException("The connection was aborted.");
    }

    private Errno TryConnect(RawAddress address)
    {
        if (_isAborted) return Errno.ECONNABORTED;
        return Libc.Connect(fd, &address, address.Length) == 0 ? Errno.None : Libc.SavedError;
    }
}
