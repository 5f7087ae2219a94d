using StickyWs.Kernel;

namespace StickyWs.Reactors;

// From socket to socket through a kernel pipe (splice(2)): bulk data is not copied.
internal abstract unsafe partial class SocketReactor
{
    public const int MostPipes = 256;

    // For less than this at once, the two calls of a splice cost more than the copy that they save.
    private const int WorthSplicing = 16 * 1024;

    private readonly SplicePipes _pipes;
    private bool _cannotSplice;

    public override void Splice(int from, int to, int limit)
    {
        ref var state = ref Sockets[from];
        Link(from, to);
        state.SpliceLeft = limit;
        if (limit < WorthSplicing) EndAtLimit(ref state);
        else if (!_cannotSplice && !state.Has(SocketFlags.Urgent)) state.Flags |= SocketFlags.Spliced;
    }

    public override void EndSplice(int from) => Sockets[from].Flags &= ~SocketFlags.Spliced;

    // Returns whether the splice was the right call; if not, receive. One call may fill the pipe before the socket is empty.
    private bool TrySplice(int socket, ref SocketState state, ref int before, out bool goesOn)
    {
        goesOn = false;
        var other = state.Target;
        if (other == SocketState.None || IsDeaf(other) || Pending(ref Sockets[other]) > 0) return false; // Drop the bytes, or queue them.
        if (_pipes.TryRent() is not { } pipe) return false;
        var most = (nuint)Math.Min(_bufferSize, state.SpliceLeft);
        var count = Libc.Splice(state.Fd, null, pipe.Pipe.WriteEnd, null, most, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
        if (count <= 0)
        {
            var error = count == 0 ? Errno.None : Libc.SavedError;
            _pipes.Return(pipe);
            if (error is Errno.EAGAIN or Errno.None) return false; // Also the result just before an urgent mark, whatever follows it.
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

        before = count >= pipe.Pipe.Capacity ? _bufferSize : (int)count; // A full pipe does not mean an empty socket.
        CountSpliced(ref state, (int)count);
        ref var target = ref Sockets[other];
        pipe.InPipe = (int)count;
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

    // The bulk is over. The last bytes of a tunnel are few; receive them, so that the handler sees them.
    private void ReceiveFrom(HeldPipe pipe, int socket, int count)
    {
        for (var got = 0; got < count;)
        {
            var read = (int)Libc.Read(pipe.Pipe.ReadEnd, _buffer + got, (nuint)(count - got));
            if (read > 0) got += read;
            else if (read == 0 || Libc.Error != Errno.EINTR) throw new IOException("Spliced bytes are missing from their pipe.");
        }

        _pipes.Return(pipe);
        ref var state = ref Sockets[socket];
        CountSpliced(ref state, count);
        state.Handler!.Received(socket, new Piece(socket, new ReadOnlySpan<byte>(_buffer, count)));
    }

    private static void CountSpliced(ref SocketState state, int count)
    {
        if (state.SpliceLeft == int.MaxValue) return;
        state.SpliceLeft -= count;
        if (state.SpliceLeft < WorthSplicing) EndAtLimit(ref state);
    }

    // The limit ends it, not the traffic: the next large piece counts as bulk again.
    private static void EndAtLimit(ref SocketState state)
    {
        state.Flags &= ~SocketFlags.Spliced;
        state.Score = BulkScore - AddedByLarge;
    }

    /// <summary>Counts bytes that were received in between.</summary>
    protected static void CountReceived(ref SocketState state, int count)
    {
        if (state.Has(SocketFlags.Spliced)) CountSpliced(ref state, count);
    }

    /// <summary>Returns whether nothing is left over. A broken socket has nothing left to send.</summary>
    protected bool Flush(ref SocketState state) => state.Leftover switch
    {
        HeldPipe pipe => FlushPipe(ref state, pipe),
        HeldBytes bytes => FlushBytes(ref state, bytes),
        _ => true,
    };

    /// <summary>Drops what a socket could not take.</summary>
    protected void DropHeld(ref SocketState state)
    {
        if (state.Leftover is HeldPipe pipe) Discard(pipe);
        else if (state.Leftover is HeldBytes bytes) bytes.GiveBack();
        state.Leftover = null;
    }

    private void Discard(HeldPipe pipe)
    {
        pipe.Behind?.GiveBack();
        pipe.Behind = null;
        _pipes.Discard(pipe);
    }

    private bool FlushPipe(ref SocketState state, HeldPipe pipe)
    {
        while (pipe.InPipe > 0)
        {
            var sent = Libc.Splice(pipe.Pipe.ReadEnd, null, state.Fd, null, (nuint)pipe.InPipe, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (sent > 0)
            {
                pipe.InPipe -= (int)sent;
                continue;
            }

            var error = sent < 0 ? Libc.SavedError : Errno.EPIPE;
            if (error == Errno.EAGAIN) return false;
            if (error == Errno.EINTR) continue;
            NoteFault(ref state, error);
            state.Flags |= SocketFlags.SendBroken;
            state.Leftover = null;
            Discard(pipe);
            return true;
        }

        var behind = pipe.Behind;
        (state.Leftover, pipe.Behind) = (behind, null);
        _pipes.Return(pipe);
        return behind is null || FlushBytes(ref state, behind);
    }
}
