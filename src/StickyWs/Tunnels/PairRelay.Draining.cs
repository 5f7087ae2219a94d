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
        (pair.IsDraining, pair.EndsByReset, pair.LastActive) = (true, isReset, _reactor.Now);
        if (_draining.Count == 0) _nextLook = _reactor.Now + LookInterval;
        _draining.Add(number);
        _reactor.Close(gone, isReset: true);
        _reactor.Resume(rest);
    }

    private void LookAtDraining()
    {
        _nextLook = _reactor.Now + LookInterval;
        for (var i = _draining.Count - 1; i >= 0; i--)
        {
            var number = _draining[i];
            ref var pair = ref _pairs[number];
            var left = _reactor.Unacknowledged(pair.Client != Pair.Gone ? pair.Client : pair.Backend);
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
