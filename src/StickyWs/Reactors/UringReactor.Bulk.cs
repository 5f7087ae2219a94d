namespace StickyWs.Reactors;

// Older kernels (before Linux 6.17) set a receive that goes on no limit, and some 256 KiB are under way when it is told to stop. There, bytes for a reader that has
// stalled, or that come in bulk, are received by calls of their own, which take no more than one buffer, until they are few again.
internal sealed unsafe partial class UringReactor
{
    /// <summary>Receives in a row for one socket before others have their turn.</summary>
    private const int ReceivesPerTurn = 4;

    // Fewer in one receive are no bulk.
    private const int WorthACall = 16 * 1024;

    private readonly Queue<(int Socket, uint Generation)> _bulk = new();
    private readonly byte* _buffer;
    private readonly int _bufferSize;

    private void NoteBulk(ref SocketState state)
    {
        if (_mostBytes == 0) state.Flags |= SocketFlags.Bulk;
    }

    private void QueueBulk(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Queued)) return;
        state.Flags |= SocketFlags.Queued;
        _bulk.Enqueue((socket, state.Generation));
    }

    private void ServeBulk()
    {
        for (var count = _bulk.Count; count > 0; count--)
        {
            var (socket, generation) = _bulk.Dequeue();
            ref var state = ref Sockets[socket];
            if (state.Generation != generation) continue;
            state.Flags &= ~SocketFlags.Queued;
            try
            {
                ServeBulk(socket, ref state);
            }
#pragma warning disable CA1031 // A defect, or a logger of the application's that throws.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                Fail(socket, generation);
            }
        }
    }

    private void ServeBulk(int socket, ref SocketState state)
    {
        var generation = state.Generation;
        for (var turns = ReceivesPerTurn; turns > 0 && WantsReceive(ref state); turns--)
        {
            ref var other = ref Sockets[Relay.Other(socket)];
            if (state.Has(SocketFlags.Receiving) || other.Pieces > 0) break; // They come first.
            var received = Libc.Receive(state.Fd, _buffer, (nuint)_bufferSize, Libc.DontWait);
            if (received < WorthACall) state.Flags &= ~SocketFlags.Bulk;
            if (received > 0) PartyOf(ref state).Received(socket, new ReadOnlySpan<byte>(_buffer, (int)received));
            else if (received < 0 && Libc.Error is not (Errno.Again or Errno.Interrupted) and var error) NoteFault(ref state, error); // It is told once; the next receive finds the end.
            if (state.Generation != generation) return;
            if (!state.Has(SocketFlags.Bulk)) break;
        }

        Settle(socket);
    }

    private bool SendNow(int socket, ref SocketState state, ReadOnlySpan<byte> bytes)
    {
        var sent = TrySend(ref state, bytes);
        if (sent == bytes.Length) return true;
        if (sent < 0)
        {
            BreakSend(socket, ref state);
            return false;
        }

        AddLeftover(ref state, bytes[sent..]);
        AwaitRoom(socket, ref state);
        return false;
    }
}
