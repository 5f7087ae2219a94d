using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Gathered sends: submitted with the same call into the kernel as everything else.
internal sealed unsafe partial class UringReactor
{
    private readonly List<(int Socket, uint Generation, IGatheredSend Send)> _gathered = [];
    private readonly List<IGatheredSend> _cancelled = [];

    public override bool TryGather(int socket, IGatheredSend send)
    {
        if (_isEnding) return false;
        _gathered.Add((socket, Sockets[socket].Generation, send));
        return true;
    }

    // Returns whether there were any: their senders continue when they are done, so the turn must not wait.
    private bool SendGathered()
    {
        if (_gathered.Count == 0) return false;
        foreach (var (socket, generation, source) in _gathered)
        {
            ref var state = ref Sockets[socket];
            if (state.Generation != generation)
            {
                _cancelled.Add(source); // Closed in the meantime.
                continue;
            }

            var (start, length) = source.Bytes;
            ref var send = ref AskSend(Kind.Gathered, socket, ref state);
            send.Address = (ulong)start;
            send.Length = (uint)length;
            state.Sending = length;
            _sending.Add((socket, source));
        }

        _gathered.Clear();
        return true;
    }

    private void Conclude(int socket, ref SocketState state, IGatheredSend send)
    {
        var result = state.Sending;
        state.Flags &= ~SocketFlags.IsSending;
        Completes(socket, ref state);
        send.Done(result);
    }

    private void CancelGathered()
    {
        foreach (var send in _cancelled) Cancel(send);
        _cancelled.Clear();
    }

    private void Cancel(IGatheredSend send)
    {
        try
        {
            send.Done(-(int)Errno.ECANCELED);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
        }
    }
}
