using System.Buffers;
using StickyWs.Frames;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

// Watched tunnels, by the rules of PairRelay.Watching.cs. A ping to the client is put by whoever has the floor at a border: the direction that moves the
// backend's bytes, or, while that waits for some, the sweep. One to the backend is put by the direction that moves the client's bytes, which the sweep wakes.
internal sealed partial class Relay
{
    // A ping of ours is with the client's pipe, which has not taken it yet.
    private Task _pinging = Task.CompletedTask;

    /// <summary>Looks at both sides. Called on one thread, and not after the tunnel's end has begun.</summary>
    public void LookAtPeers(TunnelWatch watch)
    {
        if (_hasClientFinished || GoesOn(watch, isClient: true)) GoesOn(watch, isClient: false);
    }

    // False: its end has begun.
    private bool GoesOn(TunnelWatch watch, bool isClient)
    {
        var peer = watch.Of(isClient);
        if (isClient ? _isWriting : _isPassing) peer.Excuse(tunnel.Now);
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

    // A slow reader gets to the ping only after all that was sent before it.
    private bool IsTaking(PeerWatch peer, bool isClient)
    {
        if (SendQueue.Of(SocketOf(isClient)) is not { IsEmpty: false } queue || queue.Acknowledged == peer.Acknowledged) return false;
        peer.Await(tunnel.Now, queue.Acknowledged);
        return true;
    }

    private SocketView SocketOf(bool isClient) => isClient ? tunnel.Client.Socket : SocketView.Of(tunnel.BackendConnection.Socket);

    private long AcknowledgedBy(bool isClient) => SendQueue.Of(SocketOf(isClient))?.Acknowledged ?? 0;

    private void Ask(TunnelWatch watch, bool isClient)
    {
        watch.Of(isClient).IsDue = true;
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
        var length = watch.Client.Ask(client.Output.GetSpan(OwnPing.Longest), tunnel.Now, AcknowledgedBy(isClient: true));
        client.Output.Advance(length);
        return length > 0;
    }

    // The client's direction: puts a ping to the backend if this is the border of a frame.
    private async ValueTask AskBackendAsync(TunnelWatch watch)
    {
        if (_isBackendDeaf || !MayAsk(watch, isClient: false)) return;
        var frame = new byte[OwnPing.Longest];
        var length = watch.Backend.Ask(frame, tunnel.Now, AcknowledgedBy(isClient: false));
        if (length > 0) await TryAsync(tunnel.BackendConnection.Stream.WriteAsync(frame.AsMemory(0, length))).ConfigureAwait(false);
    }

    // Called where the bytes to the peer are moved. In the middle of a frame it stays due.
    private bool MayAsk(TunnelWatch watch, bool isClient)
    {
        var peer = watch.Of(isClient);
        var before = tunnel.Frames(!isClient);
        var own = tunnel.Frames(isClient);
        var hasLeft = _hasClientFinished || before.HasClosed || own.HasClosed || tunnel.Goodbye is not null;
        if (hasLeft || before.IsLost || watch.NextStep(isClient, tunnel.Now) != WatchStep.Ask) peer.IsDue = false;
        return peer.IsDue && before.IsBetweenFrames;
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
}
