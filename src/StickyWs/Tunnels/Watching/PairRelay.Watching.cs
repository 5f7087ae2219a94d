using StickyWs.Frames;
using StickyWs.Kernel;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

// Pairs whose sides may be silent only for so long, apart: TunnelWatch. The sweep looks at them. A ping of ours goes between two frames of the other side's;
// its Pong is taken out of what the asked one sends. No bytes of ours are counted, and none keeps a pair from being idle.
internal sealed partial class PairRelay
{
    private void LookAtPeers(int number, ref Pair pair, TunnelWatch watch, bool isLate)
    {
        if (isLate) watch.Excuse(_reactor.Now);
        if (GoesOn(number, ref pair, watch, isClient: true)) _ = GoesOn(number, ref pair, watch, isClient: false);
    }

    // False: its end has begun.
    private bool GoesOn(int number, ref Pair pair, TunnelWatch watch, bool isClient)
    {
        ref var side = ref pair.Of(isClient);
        if (side.HasFinished) return true; // The half-closed limit is what counts.
        var peer = watch.Of(isClient);
        if (pair.Of(!isClient).IsFull) peer.Excuse(_reactor.Now);
        var step = watch.NextStep(isClient, _reactor.Now);
        if (step == WatchStep.Ask) AskOrAwaitRoom(ref pair, peer, isClient);
        if (step is WatchStep.None or WatchStep.Ask) return true;
        if (step == WatchStep.EndMute && peer.TryAwait(_reactor.Now, _reactor.Acknowledged(side.Socket))) return true;
        var (owner, socket) = (pair.Owner, side.Socket);
        Say(number, watch.WordOf(isClient, step));
        var isMute = step == WatchStep.EndMute && pair.Owner == owner && side.Socket == socket;
        if (isMute) Broken(socket, Errno.ETIMEDOUT); // It is not waited for any more. The other side is.
        return false;
    }

    // Behind what it takes next: nothing is added while it takes nothing.
    private void AskOrAwaitRoom(ref Pair pair, PeerWatch peer, bool isClient)
    {
        ref var side = ref pair.Of(isClient);
        if (!side.IsFull) Ask(ref pair, peer, isClient);
        else if (MayAsk(ref pair, isClient)) peer.AwaitRoom(_reactor.Now, _reactor.Acknowledged(side.Socket));
    }

    // Without its own frames its Pong could not be told from what it sends.
    private bool MayAsk(ref Pair pair, bool isClient)
    {
        ref var side = ref pair.Of(isClient);
        ref var before = ref pair.Owner!.Frames(!isClient);
        ref var own = ref pair.Owner!.Frames(isClient);
        if (side.HasFinished || pair.Of(!isClient).HasFinished || before.HasClosed || own.HasClosed || before.IsLost || own.IsLost) return false;
        return !_reactor.IsDeaf(side.Socket) && side.Tls is not { Status: TlsStatus.Failed };
    }

    private void Ask(ref Pair pair, PeerWatch peer, bool isClient)
    {
        ref var side = ref pair.Of(isClient);
        peer.IsDue = false;
        if (!MayAsk(ref pair, isClient)) return;
        if (!pair.Owner!.Frames(!isClient).IsBetweenFrames)
        {
            peer.IsDue = true;
            return;
        }

        Span<byte> frame = stackalloc byte[OwnPing.Longest];
        var unacknowledged = _reactor.Unacknowledged(side.Socket); // First: rather too far than not far enough.
        var acknowledged = _reactor.Acknowledged(side.Socket);
        ReadOnlySpan<byte> ping = frame[..peer.Ask(frame, _reactor.Now, acknowledged, acknowledged + unacknowledged)];
        if (!ping.IsEmpty && !TryAppend(ref side, side.Tls is { } tls ? tls.Seal(ping) : ping)) _reactor.Pause(pair.Of(!isClient).Socket);
    }

    // Whether what came from a side has to be looked at: a Pong may be in it, or the border that a ping waits for.
    private static bool IsScreened(ref Pair pair, TunnelWatch watch, bool isClient, int count)
    {
        if (watch.Of(isClient).Ping is null && !watch.Of(!isClient).IsDue) return false;
        var frames = pair.Owner!.Frames(isClient);
        return frames.IsBetweenFrames || frames.Unseen <= count;
    }

    // False: the pair has ended.
    private bool TryPassScreened(int socket, ref Pair pair, TunnelWatch watch, bool isClient, ReadOnlySpan<byte> plain)
    {
        var peer = watch.Of(isClient);
        while (!plain.IsEmpty && peer.Ping is { } ping)
        {
            var step = ping.Take(pair.Owner!.Frames(isClient), plain);
            var run = step.IsHeld ? ping.Held.Span : plain[..step.Pass];
            plain = plain[step.Taken..];
            peer.Settle();
            if (!run.IsEmpty && !TryPassToBorder(socket, ref pair, watch, isClient, run)) return false;
        }

        return plain.IsEmpty || TryPassToBorder(socket, ref pair, watch, isClient, plain);
    }

    private bool TryPassToBorder(int socket, ref Pair pair, TunnelWatch watch, bool isClient, ReadOnlySpan<byte> run)
    {
        var other = watch.Of(!isClient);
        if (other.IsDue && pair.Word is null && pair.Owner!.Frames(isClient).IsBetweenFrames) Ask(ref pair, other, !isClient);
        if (!other.IsDue || pair.Word is not null) return TryPassRun(socket, ref pair, isClient, run);
        var ahead = pair.Owner!.Frames(isClient);
        var count = ahead.FollowFrame(run);
        if (!TryPassRun(socket, ref pair, isClient, run[..count])) return false;
        if (other.IsDue) Ask(ref pair, other, !isClient);
        return count == run.Length || TryPassRun(socket, ref pair, isClient, run[count..]);
    }

    // Nothing more comes that could make a Pong of what was held back. False: the pair has ended.
    private bool TryPassHeld(int socket, ref Pair pair, bool isClient)
    {
        if (pair.IsDraining || pair.Watch?.Of(isClient).Ping?.Release() is not { IsEmpty: false } held) return true;
        return TryPassRun(socket, ref pair, isClient, held.Span);
    }

    private void NoteRoom(ref Pair pair, bool isClient)
    {
        if (pair.Watch is not { } watch) return;
        watch.Of(isClient).NoteRoom(_reactor.Now);
        watch.Of(!isClient).Excuse(_reactor.Now); // It was not received from.
    }

    private void NotePassed(ref Pair pair, TunnelWatch watch, bool isClient)
    {
        pair.LastActive = _reactor.Now;
        watch.Of(isClient).Speak(_reactor.Now);
        if (pair.Owner!.Frames(isClient).TakePing()) watch.Of(!isClient).NotePinged(_reactor.Now);
    }
}
