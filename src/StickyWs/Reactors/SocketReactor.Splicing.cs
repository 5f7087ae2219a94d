using StickyWs.Kernel;

namespace StickyWs.Reactors;

// From socket to socket through a pipe of the kernel's (splice(2)): bytes that come in bulk are not copied.
internal abstract unsafe partial class SocketReactor
{
    public const int MostPipes = 256;

    // Below this much in one go the two calls of a splice cost more than the copy that they save.
    private const int WorthSplicing = 16 * 1024;

    private readonly SplicePipes _pipes;
    private bool _cannotSplice;

    public override void Splice(int from, int to, int limit)
    {
        ref var state = ref Sockets[from];
        Link(from, to);
        state.SpliceLeft = limit;
        if (!_cannotSplice && limit >= WorthSplicing && !state.Has(SocketFlags.Urgent)) state.Flags |= SocketFlags.Spliced;
    }

    // Whether splicing was the way to go; if not, the bytes are to be received. One call may find the pipe full before the socket is empty.
    private bool TrySplice(int socket, ref SocketState state, ref int before, out bool goesOn)
    {
        goesOn = false;
        var other = state.Target;
        if (other == SocketState.None || IsDeaf(other) || Sockets[other].LeftoverLength > 0) return false; // To be dropped, or to go behind it.
        if (_pipes.TryRent() is not { } pipe) return false;
        var count = Libc.Splice(state.Fd, null, pipe.Pipe.WriteEnd, null, (nuint)Math.Min(_bufferSize, state.SpliceLeft), Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        if (count <= 0)
        {
            var error = count == 0 ? Errno.None : Libc.SavedError;
            _pipes.Return(pipe);
            if (error is Errno.EAGAIN or Errno.None) return false; // Also what it says before a mark of urgent data, whatever stands behind that.
            if (error is Errno.EINVAL or Errno.EPERM or Errno.ENOSYS or Errno.EOPNOTSUPP)
            {
                _cannotSplice = true;
                state.Flags &= ~SocketFlags.Spliced;
                return false;
            }

            goesOn = !EndsAt(socket, ref state, error);
            return true;
        }

        var generation = state.Generation;
        if (count < WorthSplicing)
        {
            if (before == 0) state.Flags &= ~(SocketFlags.Spliced | SocketFlags.Bulk);
            before = (int)count;
            ReceiveFrom(pipe, socket, (int)count);
            goesOn = state.Generation == generation;
            return true;
        }

        before = count >= pipe.Pipe.Capacity ? _bufferSize : (int)count; // The pipe was full before the socket was empty.
        CountSpliced(ref state, (int)count);
        ref var target = ref Sockets[other];
        pipe.Length = (int)count;
        target.Leftover = pipe;
        if (!FlushPipe(ref target, pipe))
        {
            WatchRoom(other);
            target.Handler!.Stalled(other);
        }

        if (target.Has(SocketFlags.SendBroken)) BreakSend(other, ref target);
        if (state.Generation == generation) state.Handler!.Spliced(socket, (int)count);
        goesOn = state.Generation == generation;
        return true;
    }

    // The bulk is over, and the last words of a tunnel are small: these are received after all, for whoever looks at them.
    private void ReceiveFrom(HeldPipe pipe, int socket, int count)
    {
        for (var got = 0; got < count;)
        {
            var read = (int)Libc.Read(pipe.Pipe.ReadEnd, _buffer + got, (nuint)(count - got));
            if (read > 0) got += read;
            else if (read == 0 || Libc.Error != Errno.EINTR) throw new IOException("A pipe lost bytes that were spliced into it.");
        }

        _pipes.Return(pipe);
        ref var state = ref Sockets[socket];
        CountSpliced(ref state, count);
        state.Handler!.Received(socket, new Piece(socket, new ReadOnlySpan<byte>(_buffer, count)));
    }

    private static void CountSpliced(ref SocketState state, int count)
    {
        if (state.SpliceLeft != int.MaxValue) state.SpliceLeft -= count;
        if (state.SpliceLeft < WorthSplicing) state.Flags &= ~SocketFlags.Spliced;
    }

    /// <summary>Whether nothing is left over now. A socket that broke has nothing left to send either.</summary>
    protected bool Flush(ref SocketState state) => state.Leftover switch
    {
        HeldPipe pipe => FlushPipe(ref state, pipe),
        HeldBytes bytes => FlushBytes(ref state, bytes),
        _ => true,
    };

    /// <summary>Drops what a socket could not take.</summary>
    protected void DropHeld(ref SocketState state)
    {
        if (state.Leftover is HeldPipe pipe) _pipes.Discard(pipe);
        else if (state.Leftover is HeldBytes bytes) bytes.GiveBack();
        state.Leftover = null;
    }

    private bool FlushPipe(ref SocketState state, HeldPipe pipe)
    {
        while (pipe.Length > 0)
        {
            var sent = Libc.Splice(pipe.Pipe.ReadEnd, null, state.Fd, null, (nuint)pipe.Length, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (sent > 0)
            {
                pipe.Length -= (int)sent;
                continue;
            }

            var error = sent < 0 ? Libc.SavedError : Errno.EPIPE;
            if (error == Errno.EAGAIN) return false;
            if (error == Errno.EINTR) continue;
            NoteFault(ref state, error);
            state.Flags |= SocketFlags.SendBroken;
            state.Leftover = null;
            _pipes.Discard(pipe);
            return true;
        }

        state.Leftover = null;
        _pipes.Return(pipe);
        return true;
    }
}
