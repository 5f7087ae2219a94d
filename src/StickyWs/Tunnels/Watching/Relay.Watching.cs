using System.Buffers;
using StickyWs.Frames;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

// Watched tunnels, by the rules of PairRelay.Watching.cs. A ping to the client is put by whoever has the floor at a border: the direction that moves the
// backend's bytes, or, while that waits for some, the sweep. One to the backend is put by the direction that moves the client's bytes, which the sweep wakes.
internal sealed partial class Relay
{
    // The most bytes that a transport's pipe keeps for the kernel, and some more.
    private const int MostInPipe = 128 * 1024;

    // A ping of ours is with the client's pipe, which has not taken it yet.
    private Task _pinging = Task.CompletedTask;

    // How often each side has taken something that its other side sent.
    private long _takenByClient;
    private long _takenByBackend;

    /// <summary>Looks at both sides. Called on one thread, and not after the tunnel's end has begun.</summary>
    public void LookAtPeers(TunnelWatch watch, bool isLate)
    {
        if (isLate) watch.Excuse(tunnel.Now);
        if (_hasClientFinished || GoesOn(watch, isClient: true)) GoesOn(watch, isClient: false);
    }

    // False: its end has begun.
    private bool GoesOn(TunnelWatch watch, bool isClient)
    {
        var peer = watch.Of(isClient);
        if (IsHeldUp(!isClient)) peer.Excuse(tunnel.Now);
        if (!IsHeldUp(isClient)) peer.NoteRoom(tunnel.Now);
        var step = watch.NextStep(isClient, tunnel.Now);
        if (step == WatchStep.Ask) Ask(watch, isClient);
        if (step is WatchStep.None or WatchStep.Ask || (step == WatchStep.EndMute && IsTaking(peer, isClient))) return true;
        tunnel.Say(watch.WordOf(isClient, step));
        if (step == WatchStep.EndMute && tunnel.Goodbye is { } goodbye) _ = BreakOffAsync(goodbye, isClient);
        return false;
    }

    // It is not waited for any more. The other side is.
    private async Task BreakOffAsync(PipeGoodbye goodbye, bool isClient)
    {
        await goodbye.Told.ConfigureAwait(false);
        tunnel.Abort(isClient);
    }

    // Whether something is to be taken by a side now. Nothing is received from the other one meanwhile.
    private bool IsHeldUp(bool isClient) => isClient ? _isPassing || !_pinging.IsCompleted : _isWriting;

    private bool IsTaking(PeerWatch peer, bool isClient) => SendQueue.Of(SocketOf(isClient)) is { } queue
        ? peer.TryAwait(tunnel.Now, queue.Acknowledged)
        : peer.TryAwaitUnseen(tunnel.Now, TakenBy(isClient), IsHeldUp(isClient));

    private long TakenBy(bool isClient) => Volatile.Read(ref isClient ? ref _takenByClient : ref _takenByBackend);

    private SocketView SocketOf(bool isClient) => isClient ? tunnel.Client.Socket : SocketView.Of(tunnel.BackendConnection.Socket);

    // What a side has acknowledged, and what it will have when the next byte is its next. More may be on its way to the kernel, if that is behind.
    private (long Acknowledged, long Next) QueueOf(bool isClient)
    {
        if (SendQueue.Of(SocketOf(isClient)) is not { } queue) return (TakenBy(isClient), long.MaxValue);
        return (queue.Acknowledged, queue.Acknowledged + (queue.IsEmpty ? 0 : queue.Longest + MostInPipe));
    }

    // In the middle of a frame it is put by who moves the frame, without being woken.
    private void Ask(TunnelWatch watch, bool isClient)
    {
        var peer = watch.Of(isClient);
        if (!CanAsk(isClient)) return;
        if (IsHeldUp(isClient)) peer.AwaitRoom(tunnel.Now, QueueOf(isClient).Acknowledged);
        peer.IsDue = true;
        if (!tunnel.Frames(!isClient).IsBetweenFrames) return;
        if (!isClient) client.Input.CancelPendingRead();
        else if (Interlocked.CompareExchange(ref _floor, Taken, Free) == Free) AskFromOutside(watch);
        else WakeReader(); // It may hold the floor and wait.
    }

    private void AskFromOutside(TunnelWatch watch)
    {
        try
        {
            if (_pinging.IsCompleted && PutPing(watch)) _pinging = FlushAsync().AsTask();
        }
        finally
        {
            if (IsSaid()) _ = TellGuardedAsync(tunnel.Goodbye!); // It was said meanwhile, and found the floor taken.
        }
    }

    private void WakeReader() => Interlocked.Exchange(ref _wake, new CancellationTokenSource()).Cancel();

    private async ValueTask AskClientAsync(TunnelWatch watch)
    {
        if (!PutPing(watch)) return;
        _isPassing = true;
        await FlushAsync().ConfigureAwait(false); // If it failed, so does the next.
        _isPassing = false;
    }

    // The caller has the floor. Returns whether there is something to flush.
    private bool PutPing(TunnelWatch watch)
    {
        if (!MayAsk(watch, isClient: true)) return false;
        var (acknowledged, next) = QueueOf(isClient: true);
        var length = watch.Client.Ask(client.Output.GetSpan(OwnPing.Longest), tunnel.Now, acknowledged, next);
        client.Output.Advance(length);
        return length > 0;
    }

    // The client's direction: puts a ping to the backend if this is the border of a frame.
    private async ValueTask AskBackendAsync(TunnelWatch watch)
    {
        if (!MayAsk(watch, isClient: false)) return;
        var frame = new byte[OwnPing.Longest];
        var (acknowledged, next) = QueueOf(isClient: false);
        var length = watch.Backend.Ask(frame, tunnel.Now, acknowledged, next);
        if (length > 0) await TryAsync(tunnel.BackendConnection.Stream.WriteAsync(frame.AsMemory(0, length))).ConfigureAwait(false);
    }

    // Called where the bytes to the peer are moved. In the middle of a frame it stays due.
    private bool MayAsk(TunnelWatch watch, bool isClient)
    {
        var peer = watch.Of(isClient);
        if (!CanAsk(isClient) || (!peer.IsOwed && watch.NextStep(isClient, tunnel.Now) != WatchStep.Ask)) peer.IsDue = false;
        return peer.IsDue && tunnel.Frames(!isClient).IsBetweenFrames;
    }

    // Without its own frames its Pong could not be told from what it sends.
    private bool CanAsk(bool isClient)
    {
        var before = tunnel.Frames(!isClient);
        var own = tunnel.Frames(isClient);
        var hasLeft = _hasClientFinished || before.HasClosed || own.HasClosed || tunnel.Goodbye is not null || (!isClient && _isBackendDeaf);
        return !hasLeft && !before.IsLost && !own.IsLost;
    }

    private ValueTask PassAsync(ReadOnlySequence<byte> bytes)
        => tunnel.Watch is { } watch ? PassWatchedAsync(watch, bytes) : PassPlainAsync(bytes);

    // What is dropped is followed: a goodbye still has to see the client's Close.
    private async ValueTask PassPlainAsync(ReadOnlySequence<byte> bytes)
    {
        if (_isBackendDeaf || !await TryAsync(WriteAsync(bytes)).ConfigureAwait(false)) tunnel.Frames(ofClient: true).Follow(bytes);
    }

    private async ValueTask PassWatchedAsync(TunnelWatch watch, ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes)
        {
            for (var rest = segment; !rest.IsEmpty;)
            {
                var run = Screen(watch.Client, ofClient: true, ref rest);
                if (watch.Backend.IsDue) await AskBackendAsync(watch).ConfigureAwait(false);
                if (watch.Backend.IsDue && !run.IsEmpty)
                {
                    var count = LengthOfFrame(run.Span, ofClient: true);
                    await PassRunAsync(watch, run[..count]).ConfigureAwait(false);
                    await AskBackendAsync(watch).ConfigureAwait(false);
                    run = run[count..];
                }

                if (!run.IsEmpty) await PassRunAsync(watch, run).ConfigureAwait(false);
            }
        }
    }

    private int LengthOfFrame(ReadOnlySpan<byte> bytes, bool ofClient)
    {
        var ahead = tunnel.Frames(ofClient);
        return ahead.FollowFrame(bytes);
    }

    private async ValueTask PassRunAsync(TunnelWatch watch, ReadOnlyMemory<byte> run)
    {
        var now = tunnel.Now; // Before it goes: what answers it comes later.
        await PassPlainAsync(new ReadOnlySequence<byte>(run)).ConfigureAwait(false);
        watch.Client.Speak(now);
        Volatile.Write(ref _takenByBackend, _takenByBackend + 1);
        if (tunnel.Frames(ofClient: true).TakePing()) watch.Backend.NotePinged(now);
    }

    // The backend's direction. Returns what comes after the border at which a goodbye is put.
    private byte[] PassWatched(TunnelWatch watch, ReadOnlyMemory<byte> read)
    {
        watch.Backend.Hear(tunnel.Now);
        if (watch.Backend.Ping is null && !watch.Client.IsDue)
        {
            var after = Pass(read);
            NotePassed(watch);
            return after;
        }

        ReadOnlyMemory<byte> rest = read.ToArray(); // It is in the memory that is written to.
        while (!rest.IsEmpty)
        {
            var run = Screen(watch.Backend, ofClient: false, ref rest);
            while (!run.IsEmpty)
            {
                if (watch.Client.IsDue) PutPing(watch);
                var count = watch.Client.IsDue || tunnel.Goodbye is not null ? LengthOfFrame(run.Span, ofClient: false) : run.Length;
                PassRun(watch, run[..count]);
                run = run[count..];
                var isBorder = tunnel.Frames(ofClient: false) is { IsBetweenFrames: true } or { HasClosed: true };
                if (isBorder && tunnel.Goodbye is not null && !(run.IsEmpty && rest.IsEmpty)) return [.. run.Span, .. rest.Span];
            }
        }

        if (watch.Client.IsDue) PutPing(watch);
        return [];
    }

    private void PassRun(TunnelWatch watch, ReadOnlyMemory<byte> run)
    {
        client.Output.Write(run.Span);
        tunnel.CountToClient(run.Span);
        NotePassed(watch);
    }

    private void NotePassed(TunnelWatch watch)
    {
        var now = tunnel.Now;
        watch.Backend.Speak(now);
        if (tunnel.Frames(ofClient: false).TakePing()) watch.Client.NotePinged(now); // Nothing was flushed yet.
    }

    // What is next to be passed on of a side's bytes; none if they are only held back, or taken out.
    private ReadOnlyMemory<byte> Screen(PeerWatch peer, bool ofClient, ref ReadOnlyMemory<byte> rest)
    {
        var bytes = rest;
        if (peer.Ping is not { } ping)
        {
            rest = default;
            return bytes;
        }

        var step = ping.Take(tunnel.Frames(ofClient), bytes.Span);
        rest = bytes[step.Taken..];
        peer.Settle();
        return step.IsHeld ? ping.Held : bytes[..step.Pass];
    }

    // The backend has ended: what was held back is no Pong.
    private async ValueTask PassHeldAsync()
    {
        if (tunnel.Watch is not { Backend.Ping: { } ping } watch || ping.Release() is not { IsEmpty: false } held || !_pinging.IsCompleted) return;
        PassRun(watch, held);
        await FlushAsync().ConfigureAwait(false);
    }

    // The same of the client. After our Close the backend gets nothing more.
    private async ValueTask PassHeldToBackendAsync()
    {
        if (tunnel.Watch?.Client.Ping is not { } ping || tunnel.Goodbye is { Answered.IsCompleted: true }) return;
        await PassPlainAsync(new ReadOnlySequence<byte>(ping.Release())).ConfigureAwait(false);
    }

    private void NoteTakenByClient()
    {
        if (tunnel.Watch is not { } watch) return;
        Volatile.Write(ref _takenByClient, _takenByClient + 1);
        watch.Client.NoteRoom(tunnel.Now);
    }
}
