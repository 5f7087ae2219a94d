using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Gathered sends: submitted with the same call into the kernel as everything else.
internal sealed unsafe partial class UringReactor
{
    // Turns with several sends of other threads, less twice those with one: at the most, sends are gathered, until it is back at none. A lone request
    // would wait for the reactor in vain.
    private const int MostBusy = 16;

    private readonly List<(int Socket, uint Generation, IGatheredSend Send)> _gathered = [];
    private readonly List<IGatheredSend> _cancelled = [];

    private int _busy;
    private int _sends;
    private volatile bool _gathersSends;

    /// <summary>Whether small sends of other threads are gathered even if there are few. For tests.</summary>
    public bool AlwaysGathers { get; init; }

    public override bool GathersSend()
    {
        Interlocked.Increment(ref _sends);
        return _gathersSends || AlwaysGathers;
    }

    private void NoteSends()
    {
        if (_sends == 0) return;
        var sends = Interlocked.Exchange(ref _sends, 0);
        _busy = sends > 1 ? Math.Min(_busy + 1, MostBusy) : Math.Max(_busy - 2, 0);
        if (_busy is 0 or MostBusy) _gathersSends = _busy > 0;
    }

    public override bool TryGather(int socket, IGatheredSend send)
    {
        if (_isEnding) return false;
        _gathered.Add((socket, Sockets[socket].Generation, send));
        return true;
    }

    // Returns whether somebody waits for one of them, so that the turn must not wait.
    private bool SendGathered()
    {
        var isAwaited = false;
        foreach (var (socket, generation, source) in _gathered)
        {
            ref var state = ref Sockets[socket];
            if (state.Generation != generation)
            {
                _cancelled.Add(source); // Closed in the meantime.
                isAwaited = true;
                continue;
            }

            isAwaited |= source.IsAwaited;
            var (start, length) = source.Bytes;
            ref var send = ref AskSend(Kind.Gathered, socket, ref state);
            send.Address = (ulong)start;
            send.Length = (uint)length;
            state.Sending = length;
            _sending.Add((socket, source));
        }

        _gathered.Clear();
        return isAwaited;
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
