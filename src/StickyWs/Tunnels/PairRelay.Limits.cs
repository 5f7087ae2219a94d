using StickyWs.Observability;

namespace StickyWs.Tunnels;

// Time-outs, and peers that are gone without a word.
internal sealed partial class PairRelay
{
    private static readonly TimeSpan LongestSweep = TimeSpan.FromSeconds(1);

    private int _limited;
    private int _interval = (int)LongestSweep.TotalMilliseconds;
    private long _nextSweep;

    public int NextLook()
    {
        var next = long.MaxValue;
        if (_limited > 0) next = _nextSweep;
        if (_withTls > 0) next = Math.Min(next, _nextPartLook);
        if (_draining.Count > 0) next = Math.Min(next, _nextLook);
        if (_leaving.Count > 0) next = Math.Min(next, _nextLateLook);
        return next == long.MaxValue ? -1 : (int)Math.Max(0, next - _reactor.Now);
    }

    // Ends the pairs whose time-out has passed. The sweep visits all pairs, at most once per interval, and only if some pair has a limit.
    public void Look()
    {
        if (_draining.Count > 0 && _reactor.Now >= _nextLook) LookAtDraining();
        if (_leaving.Count > 0 && _reactor.Now >= _nextLateLook) LookAtLate();
        if (_withTls > 0 && _reactor.Now >= _nextPartLook) LookAtParts();
        if (_limited == 0 || _reactor.Now < _nextSweep) return;
        var isLate = _reactor.Now - _nextSweep > Math.Max(LongestSweep.TotalMilliseconds, 2 * _interval);
        _nextSweep = _reactor.Now + _interval;
        for (var number = 0; number < _pairs.End; number++)
        {
            try
            {
                LookAt(number, isLate);
            }
#pragma warning disable CA1031 // A defect of one pair must not keep the sweep from the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _reactor.Failed(e);
                Note(ref _pairs[number], EndReason.Failed);
                End(number, isReset: true);
            }
        }
    }

    private void LookAt(int number, bool isLate)
    {
        ref var pair = ref _pairs[number];
        if (pair.Owner is null || pair.IsDraining || pair.Word is not null) return;
        if (pair.Watch is { } watch) LookAtPeers(number, ref pair, watch, isLate);
        if (pair.Owner is null || pair.IsDraining || pair.Word is not null) return;
        var still = _reactor.Now - pair.LastActive;
        var isNearLimit = pair.Limit > 0 && still >= pair.Limit - (pair.Limit / 4) && pair.Watch is not { IsAwaited: true };
        if (isNearLimit && !IsMoving(ref pair) && still >= pair.Limit)
        {
            pair.Reason = EndReason.IdleTimeout; // Overrides an earlier half-close, which is not what ended it.
            End(number, isReset: true);
        }
        else if (pair.DeadPeerLimit > 0)
        {
            WatchForDeadPeer(ref pair);
        }
    }

    // A slow reader may spend a long time on bytes that are already in the kernel or in a pipe.
    private bool IsMoving(ref Pair pair)
    {
        var acknowledged = (uint)(_reactor.Acknowledged(pair.Client.Socket) + _reactor.Acknowledged(pair.Backend.Socket));
        var isUndisturbed = pair.Watch is null || pair.Watch.IsUndisturbed();
        var isMoving = isUndisturbed && pair.LookedAt == (int)pair.LastActive && acknowledged != pair.Acknowledged;
        if (isMoving) pair.LastActive = _reactor.Now;
        (pair.LookedAt, pair.Acknowledged) = ((int)pair.LastActive, acknowledged);
        return isMoving;
    }

    // Not on joining: short-lived tunnels do not need the watch and should not pay for it.
    private void WatchForDeadPeer(ref Pair pair)
    {
        _reactor.SetDeadPeerTimeout(pair.Client.Socket, pair.DeadPeerLimit);
        _reactor.SetDeadPeerTimeout(pair.Backend.Socket, pair.DeadPeerLimit);
        pair.DeadPeerLimit = 0;
        if (!pair.IsLimited) _limited--;
    }

    private void NoteFinished(ref Pair pair, ref PairSide side)
    {
        var wasLimited = pair.IsLimited;
        side.HasFinished = true;
        pair.LastActive = _reactor.Now;
        if (wasLimited) Tighten(pair.Limit);
        else if (pair.IsLimited) Oversee(pair.Limit);
    }

    private void CountPassed(ref Pair pair, bool isClient, ReadOnlySpan<byte> bytes)
    {
        _reactor.NoteMoved();
        if (isClient) pair.Owner!.CountToBackend(bytes);
        else pair.Owner!.CountToClient(bytes);
    }

    private void Oversee(int limit)
    {
        if (_limited++ == 0) _nextSweep = _reactor.Now + _interval;
        Tighten(limit);
    }

    private void Tighten(int limit)
    {
        if (limit == 0) return;
        _interval = Math.Clamp(limit / 4, 10, _interval);
        _nextSweep = Math.Min(_nextSweep, _reactor.Now + _interval);
    }

    private static int Milliseconds(TimeSpan? time) => time is { } limit ? Math.Max(1, (int)limit.TotalMilliseconds) : 0;
}
