using StickyWs.Frames;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

// Goodbyes (RFC 6455 sections 5.5.1 and 7). The client gets our Close at the next border of the backend's frames, and nothing of the backend's after it.
// What the client still sends goes on to the backend until the client's own Close, so nothing is lost, and the backend sees an orderly closing handshake;
// its answer is dropped. A client that does not answer in time is not waited for: the backend gets a Close of ours. A side that has a Close of its peer's
// gets no second one. Then both get a FIN, and the pair drains until both have closed as well.
internal sealed partial class PairRelay
{
    // How often late peers are looked for, in milliseconds.
    private const int LateInterval = 50;

    // How long the peers' own ends are waited for after our FINs, in milliseconds.
    private const int LongestLinger = 2_000;

    private readonly List<int> _leaving = [];
    private long _nextLateLook;

    /// <summary>Ends a pair with a word to both sides.</summary>
    /// <returns>Whether it was said; <see langword="false"/> if the pair's end has begun already.</returns>
    public bool Say(int number, Goodbye goodbye)
    {
        ref var pair = ref _pairs[number];
        if (pair.Owner is null || pair.IsDraining || pair.Word is not null) return false;
        (pair.Word, pair.Reason) = (goodbye, goodbye.End);
        pair.Owner.NoteWord(goodbye);
        _reactor.EndSplice(pair.Client.Socket); // From here on, bytes may be appended to either side.
        _reactor.EndSplice(pair.Backend.Socket);
        Await(ref pair, goodbye.CloseTimeout);
        if (pair.Client.HasFinished) (pair.Backend.IsTold, pair.Backend.IsShut) = (true, true);
        if (pair.Backend.HasFinished) (pair.Client.IsTold, pair.Client.IsShut) = (true, true);
        if (_leaving.Count == 0) _nextLateLook = _reactor.Now + LateInterval;
        _leaving.Add(number);
        Advance(number);
        return true;
    }

    // In one run, however many frames it has: up to the client's Close, or up to the end of the backend's frame, where our word comes.
    private void PassLast(int socket, ref Pair pair, bool isClient, ReadOnlySpan<byte> plain)
    {
        ref var frames = ref pair.Owner!.Frames(isClient);
        ref var to = ref pair.Of(!isClient);
        if (!to.IsTold && !to.IsGone)
        {
            var count = LengthOfLast(frames, isClient, plain);
            if (!TryPassOn(socket, ref pair, isClient, plain[..count])) return;
            plain = plain[count..];
            if (frames.HasClosed) to.IsTold = true;
            else if (!isClient) TryTell(ref pair, isClient: true);
        }

        frames.Follow(plain);
        if (pair.IsLeaving) Advance(_reactor.Place(socket) >> 1);
    }

    private static int LengthOfLast(FrameCursor ahead, bool isClient, ReadOnlySpan<byte> plain)
    {
        var count = ahead.FollowFrame(plain);
        while (isClient && count < plain.Length && !ahead.HasClosed) count += ahead.FollowFrame(plain[count..]);
        return count;
    }

    // Takes the next step of a goodbye, if it is due.
    private void Advance(int number)
    {
        ref var pair = ref _pairs[number];
        ref var fromClient = ref pair.Owner!.Frames(ofClient: true);
        ref var fromBackend = ref pair.Owner!.Frames(ofClient: false);
        if (fromClient.IsLost || fromBackend.IsLost)
        {
            TryTell(ref pair, isClient: true);
            TryTell(ref pair, isClient: false);
            Leave(number);
            return;
        }

        if (!pair.Client.IsTold) TryTell(ref pair, isClient: true);
        if (fromClient.HasClosed) pair.Backend.IsTold = true;
        if (pair.Client.IsTold && (fromClient.HasClosed || pair.Client.HasFinished || pair.Client.IsGone))
        {
            if (!pair.Backend.IsTold) TryTell(ref pair, isClient: false);
            Shut(ref pair.Client);
        }

        if (pair.Backend.IsTold && HasBackendEnded(ref pair)) Leave(number);
    }

    private static bool HasBackendEnded(ref Pair pair)
        => pair.Owner!.Frames(ofClient: false).HasClosed || pair.Backend.HasFinished || pair.Backend.IsGone;

    // Puts our Close to one side after the last whole frame of the other, if that is where the other is.
    private void TryTell(ref Pair pair, bool isClient)
    {
        ref var to = ref pair.Of(isClient);
        ref var from = ref pair.Of(!isClient);
        ref var frames = ref pair.Owner!.Frames(!isClient);
        if (to.IsTold) return;
        if (to.IsGone || frames.HasClosed || _reactor.IsDeaf(to.Socket) || to.Tls is { Status: TlsStatus.Failed })
        {
            to.IsTold = true;
        }
        else if (frames.IsBetweenFrames)
        {
            Span<byte> frame = stackalloc byte[CloseFrame.Longest];
            ReadOnlySpan<byte> close = frame[..CloseFrame.Write(frame, pair.Word!.Code, pair.Word.Reason, isMasked: !isClient)];
            _ = TryAppend(ref to, to.Tls is { } tls ? tls.Seal(close) : close);
            to.IsTold = true;
        }
        else if (from.HasFinished || from.IsGone)
        {
            to.IsTold = true; // Its frame stays half.
            Shut(ref to);
        }

        if (to.IsTold) ReadOn(ref from);
    }

    // What a side sends is dropped from now on, so nothing keeps it waiting, and nothing passes unseen.
    private void ReadOn(ref PairSide from)
    {
        if (from.IsGone) return;
        _reactor.EndSplice(from.Socket);
        if (from.Replies <= MostReplies) _reactor.Resume(from.Socket);
    }

    private void Shut(ref PairSide side)
    {
        if (side.IsShut || side.IsGone) return;
        side.IsShut = true;
        SayCloseNotify(ref side);
        _reactor.FinishSending(side.Socket);
    }

    // All is said. Both sides get what was sent to them, and their FIN.
    private void Leave(int number)
    {
        ref var pair = ref _pairs[number];
        if (pair.Client.IsGone && pair.Backend.IsGone)
        {
            End(number, isReset: false);
            return;
        }

        Await(ref pair, TimeSpan.FromMilliseconds(Math.Min(LongestLinger, pair.Word!.CloseTimeout.TotalMilliseconds)));
        BeginDraining(number, ref pair, isReset: false);
        Leave(ref pair.Client);
        Leave(ref pair.Backend);
    }

    private void Leave(ref PairSide side)
    {
        if (side.IsGone) return;
        Shut(ref side);
        _reactor.EndSplice(side.Socket);
        _reactor.Resume(side.Socket);
    }

    // One side is gone, and the other can still end in order.
    private bool LeavesAlone(ref Pair pair, bool isClient)
    {
        if (pair.Of(!isClient).IsGone || !pair.Client.IsTold) return false;
        var frames = pair.Owner!.Frames(ofClient: true);
        if (isClient && !pair.Client.HasFinished && !frames.HasClosed && !frames.IsBetweenFrames) return false;
        Close(ref pair.Of(isClient), isReset: true);
        ReadOn(ref pair.Of(!isClient)); // It may have waited for the other.
        return true;
    }

    private void LookAtLate()
    {
        _nextLateLook = _reactor.Now + LateInterval;
        for (var i = _leaving.Count - 1; i >= 0; i--)
        {
            if (i >= _leaving.Count) continue; // Whoever is told of an end may end others.
            var number = _leaving[i];
            if (IsPast(_pairs[number].Until)) GoOnWithoutAnswer(number);
        }
    }

    private void GoOnWithoutAnswer(int number)
    {
        ref var pair = ref _pairs[number];
        if (!pair.Client.IsTold)
        {
            End(number, isReset: true); // In the middle of a frame all this time.
            return;
        }

        var isFirst = !pair.Backend.IsTold && pair.Owner!.Frames(ofClient: true).IsBetweenFrames;
        if (isFirst) TryTell(ref pair, isClient: false);
        if (!isFirst || HasBackendEnded(ref pair))
        {
            Leave(number);
            return;
        }

        // The client is given up. The backend may answer.
        Shut(ref pair.Client);
        Await(ref pair, pair.Word!.CloseTimeout);
    }

    private void Await(ref Pair pair, TimeSpan time) => pair.Until = unchecked((int)(_reactor.Now + Milliseconds(time)));

    private bool IsPast(int until) => unchecked((int)_reactor.Now - until) >= 0;
}
