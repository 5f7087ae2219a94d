using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Sending with separate system calls, and what a socket could not take yet.
internal abstract unsafe partial class SocketReactor
{
    public override void FinishSending(int socket)
    {
        ref var state = ref Sockets[socket];
        if (HasTaken(ref state)) _ = Libc.Shutdown(state.Fd, Libc.SHUT_WR);
        else state.Flags |= SocketFlags.FinishDue;
    }

    public override void AwaitRoom(int socket)
    {
        Sockets[socket].Flags |= SocketFlags.WantsRoom;
        WatchRoom(socket);
    }

    /// <summary>Makes the kernel report when there is room to send.</summary>
    protected abstract void WatchRoom(int socket);

    /// <summary>Sends with a separate system call, and keeps what the socket cannot take now.</summary>
    public override bool Write(int to, ReadOnlySpan<byte> bytes)
    {
        ref var state = ref Sockets[to];
        if (state.Has(SocketFlags.SendBroken)) return false;
        if (state.LeftoverLength > 0)
        {
            AddLeftover(ref state, bytes);
            return false;
        }

        var sent = TrySend(ref state, bytes);
        if (sent == bytes.Length) return true;
        if (sent < 0)
        {
            BreakSend(to, ref state);
            return false;
        }

        AddLeftover(ref state, bytes[sent..]);
        WatchRoom(to);
        return false;
    }

    /// <summary>The number of sent bytes that are not with the kernel yet.</summary>
    protected virtual int Pending(ref SocketState state) => state.LeftoverLength;

    /// <summary>Whether everything sent is with the kernel, or can no longer be delivered.</summary>
    protected virtual bool HasTaken(ref SocketState state) => state.LeftoverLength == 0 || state.Has(SocketFlags.SendBroken);

    /// <summary>Sends a FIN that waited until everything was with the kernel.</summary>
    protected static void FinishIfDue(ref SocketState state)
    {
        if (!state.Has(SocketFlags.FinishDue)) return;
        state.Flags &= ~SocketFlags.FinishDue;
        _ = Libc.Shutdown(state.Fd, Libc.SHUT_WR);
    }

    /// <summary>Keeps, in order, what a socket cannot take now.</summary>
    protected static void AddLeftover(ref SocketState state, ReadOnlySpan<byte> bytes)
    {
        if (state.Leftover is HeldPipe pipe)
        {
            pipe.Add(bytes);
            return;
        }

        if (state.Leftover is not HeldBytes held) state.Leftover = held = new HeldBytes();
        held.Add(bytes);
    }

    /// <summary>Returns whether nothing is left over. A broken socket has nothing left to send.</summary>
    private static bool FlushBytes(ref SocketState state, HeldBytes held)
    {
        var sent = TrySend(ref state, held.Bytes);
        if (sent < 0)
        {
            state.Flags |= SocketFlags.SendBroken;
            sent = held.Length;
        }

        held.Drop(sent);
        if (held.Length > 0) return false;
        held.GiveBack();
        state.Leftover = null;
        return true;
    }

    /// <summary>The number of bytes that the kernel took; -1 if the socket is broken.</summary>
    protected static int TrySend(ref SocketState state, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var sent = Libc.Send(state.Fd, start, (nuint)bytes.Length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
                if (sent >= 0) return (int)sent;
                switch (Libc.Error)
                {
                    case Errno.EAGAIN:
                        return 0;
                    case Errno.EINTR:
                        continue;
                    case var error:
                        NoteFault(ref state, error);
                        return -1;
                }
            }
        }
    }
}
