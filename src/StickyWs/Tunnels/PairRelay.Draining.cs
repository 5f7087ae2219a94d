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
        ref var gone = ref pair.Of(isClientGone);
        ref var rest = ref pair.Of(!isClientGone);
        pair.Unacknowledged = Undelivered(ref rest);
        if (pair.Unacknowledged == 0)
        {
            End(number, isReset);
            return;
        }

        BeginDraining(number, ref pair, isReset);
        if (!gone.IsGone) Close(ref gone, isReset: true);
        _reactor.Resume(rest.Socket);
    }

    // Both sides have finished: as soon as the kernel has all, it can be left to that, as neither side sends what would make the close a reset. What was not
    // simply forwarded (TLS, and what was looked at for a Pong) may not be with the kernel yet.
    private void EndInOrder(int number)
    {
        ref var pair = ref _pairs[number];
        pair.Client.HasFinished = pair.Backend.HasFinished = true;
        var (hasClientAll, hasBackendAll) = (_reactor.HasTaken(pair.Client.Socket), _reactor.HasTaken(pair.Backend.Socket));
        if (hasClientAll && hasBackendAll)
        {
            End(number, isReset: false);
            return;
        }

        BeginDraining(number, ref pair, isReset: false);
        DrainOrClose(ref pair.Client, hasClientAll);
        DrainOrClose(ref pair.Backend, hasBackendAll);
    }

    private void DrainOrClose(ref PairSide side, bool hasAll)
    {
        if (hasAll)
        {
            Close(ref side, isReset: false);
            return;
        }

        _reactor.FinishSending(side.Socket);
        _reactor.Resume(side.Socket);
    }

    private bool HasAll(in PairSide side) => side.IsGone || _reactor.HasTaken(side.Socket);

    // Both sides still get what was sent to them, the backend an alert; then both are reset.
    private void DrainBoth(int number)
    {
        ref var pair = ref _pairs[number];
        pair.Unacknowledged = Undelivered(ref pair);
        if (pair.Unacknowledged == 0)
        {
            End(number, isReset: true);
            return;
        }

        BeginDraining(number, ref pair, isReset: true);
        if (!pair.Client.IsGone) _reactor.Resume(pair.Client.Socket);
        if (!pair.Backend.IsGone) _reactor.Resume(pair.Backend.Socket);
    }

    private void Close(ref PairSide side, bool isReset)
    {
        var socket = side.Socket;
        side.Socket = Pair.Gone;
        _reactor.Close(socket, isReset);
    }

    private int Undelivered(ref Pair pair) => Undelivered(ref pair.Client) + Undelivered(ref pair.Backend);

    private int Undelivered(ref PairSide side) => side.IsGone ? 0 : _reactor.Unacknowledged(side.Socket);

    // Whether both sides drained, and the other goes on when one breaks.
    private bool DrainsAlone(ref Pair pair, bool isClient)
    {
        if (pair.Client.IsGone || pair.Backend.IsGone) return false;
        Close(ref pair.Of(isClient), isReset: true);
        return true;
    }

    // Once: a number that is in the list twice would be looked at when it is another pair's.
    private void BeginDraining(int number, ref Pair pair, bool isReset)
    {
        if (pair.IsDraining) return;
        if (pair.IsLeaving) _leaving.Remove(number);
        (pair.IsDraining, pair.EndsByReset, pair.LastActive) = (true, isReset, _reactor.Now);
        if (_draining.Count == 0) _nextLook = _reactor.Now + LookInterval;
        _draining.Add(number);
    }

    private void LookAtDraining()
    {
        _nextLook = _reactor.Now + LookInterval;
        for (var i = _draining.Count - 1; i >= 0; i--)
        {
            if (i >= _draining.Count) continue; // Whoever is told of an end may end others.
            var number = _draining[i];
            ref var pair = ref _pairs[number];
            if (pair.Owner is null) continue;
            if (pair is { Word: not null, EndsByReset: false, HasEnded: false } && !IsPast(pair.Until)) continue; // Its peers are about to close.
            var left = Undelivered(ref pair);
            if (left == 0 || (pair is { Word: null, EndsByReset: false, HasEnded: true } && HasAll(in pair.Client) && HasAll(in pair.Backend)))
            {
                End(number, pair.EndsByReset);
            }
            else if (pair.Word is not null && IsPast(unchecked(pair.Until + Pair.LongestDrain)))
            {
                End(number, isReset: true); // However slowly it takes what is left.
            }
            else if (left != pair.Unacknowledged)
            {
                (pair.Unacknowledged, pair.LastActive) = (left, _reactor.Now);
            }
            else if (_reactor.Now - pair.LastActive >= pair.DrainLimit)
            {
                if (pair.Word is null) pair.Reason = EndReason.IdleTimeout;
                End(number, isReset: true);
            }
        }
    }
}
