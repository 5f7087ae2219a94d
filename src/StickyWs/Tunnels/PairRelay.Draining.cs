using StickyWs.Observability;

namespace StickyWs.Tunnels;

// Draining: one side of a pair is gone while the other still reads what that side sent. Closing the other socket now would make its kernel discard
// undelivered bytes: at once if the pair ends with a reset, otherwise as soon as the peer's bytes are unread or still arriving (RFC 9112 section
// 9.6).
internal sealed partial class PairRelay
{
    private const int LookInterval = 20;

    private readonly List<int> _draining = [];
    private long _nextLook;

    private void Drain(int number, bool isClientGone, bool isReset)
    {
        ref var pair = ref _pairs[number];
        var (gone, rest) = isClientGone ? (pair.Client, pair.Backend) : (pair.Backend, pair.Client);
        pair.Unacknowledged = _reactor.Unacknowledged(rest);
        if (pair.Unacknowledged == 0)
        {
            End(number, isReset);
            return;
        }

        if (isClientGone) pair.Client = Pair.Gone;
        else pair.Backend = Pair.Gone;
        BeginDraining(number, ref pair, isReset);
        _reactor.Close(gone, isReset: true);
        _reactor.Resume(rest);
    }

    // Both sides have finished. With TLS the end of a side may come with its last bytes, which then are not with the kernel yet.
    private void EndInOrder(int number)
    {
        ref var pair = ref _pairs[number];
        var (hasClientAll, hasBackendAll) = pair.Tls is null ? (true, true) : (_reactor.HasTaken(pair.Client), _reactor.HasTaken(pair.Backend));
        if (hasClientAll && hasBackendAll)
        {
            End(number, isReset: false);
            return;
        }

        BeginDraining(number, ref pair, isReset: false);
        DrainOrClose(ref pair.Client, hasClientAll);
        DrainOrClose(ref pair.Backend, hasBackendAll);
    }

    private void DrainOrClose(ref int side, bool hasAll)
    {
        var socket = side;
        if (hasAll)
        {
            side = Pair.Gone;
            _reactor.Close(socket, isReset: false);
            return;
        }

        _reactor.FinishSending(socket);
        _reactor.Resume(socket);
    }

    private int Undelivered(ref Pair pair)
        => (pair.Client == Pair.Gone ? 0 : _reactor.Unacknowledged(pair.Client)) + (pair.Backend == Pair.Gone ? 0 : _reactor.Unacknowledged(pair.Backend));

    // Whether both sides drained, and the other goes on when one breaks.
    private bool DrainsAlone(int socket, ref Pair pair, bool isClient)
    {
        if (pair.Client == Pair.Gone || pair.Backend == Pair.Gone) return false;
        if (isClient) pair.Client = Pair.Gone;
        else pair.Backend = Pair.Gone;
        _reactor.Close(socket, isReset: true);
        return true;
    }

    private void BeginDraining(int number, ref Pair pair, bool isReset)
    {
        (pair.IsDraining, pair.EndsByReset, pair.LastActive) = (true, isReset, _reactor.Now);
        if (_draining.Count == 0) _nextLook = _reactor.Now + LookInterval;
        _draining.Add(number);
    }

    private void LookAtDraining()
    {
        _nextLook = _reactor.Now + LookInterval;
        for (var i = _draining.Count - 1; i >= 0; i--)
        {
            var number = _draining[i];
            ref var pair = ref _pairs[number];
            var left = Undelivered(ref pair);
            if (left == 0)
            {
                End(number, pair.EndsByReset);
            }
            else if (left != pair.Unacknowledged)
            {
                (pair.Unacknowledged, pair.LastActive) = (left, _reactor.Now);
            }
            else if (_reactor.Now - pair.LastActive >= pair.DrainLimit)
            {
                pair.Reason = EndReason.IdleTimeout;
                End(number, isReset: true);
            }
        }
    }
}
