using System.Buffers;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

// Goodbyes, by the rules of PairRelay.Goodbyes.cs. Only one at a time may write to the client: the direction that moves the backend's bytes, while it has
// some, or whoever says goodbye, while it waits for some.
internal sealed partial class Relay
{
    private const int Free = 0;
    private const int Taken = 1;
    private const int IsTold = 2;

    // Who may write to the client.
    private int _floor = Taken;

    // Ends a read that has the floor though nothing has come: the wait before it may end for nothing.
    private CancellationTokenSource _wake = new();

    // Our Close is with the client's pipe, which has not taken it yet.
    private Task _telling = Task.CompletedTask;

    private volatile bool _isOver;

    private CancellationToken UntilWoken => Volatile.Read(ref _wake) is var wake && tunnel.Goodbye is null ? wake.Token : default;

    /// <summary>Goes on with a goodbye that the tunnel has been told of. From any thread.</summary>
    public void Say(PipeGoodbye goodbye)
    {
        WakeReader();
        client.Input.CancelPendingRead(); // The client may have said its Close already.
        ThreadPool.UnsafeQueueUserWorkItem(static late => _ = late.Relay.TellGuardedAsync(late.Goodbye), (Relay: this, Goodbye: goodbye), false);
    }

    /// <summary>A peer is waited for too long. Called on one thread.</summary>
    /// <returns>Whether there is another step; if not, the tunnel must be aborted.</returns>
    public bool Hurry(PipeGoodbye goodbye)
    {
        if (!goodbye.Told.IsCompleted)
        {
            if ((!_isPassing && _pinging.IsCompleted) || !tunnel.Frames(ofClient: false).IsBetweenFrames) return false;
            goodbye.NoteTold(); // Its Close follows what it has not taken yet.
        }

        if (goodbye.Answered.IsCompleted || goodbye.IsClientGivenUp || _toBackend.IsCompleted) return TryEndBackend(goodbye) || MayDrain(goodbye);
        GiveClientUp(goodbye);
        return true;
    }

    private bool MayDrain(PipeGoodbye goodbye)
        => (_isPassing || !_telling.IsCompleted || !_pinging.IsCompleted) && tunnels.Time.GetElapsedTime(goodbye.SaidAt) < PipeGoodbye.LongestDrain;

    private async Task TellGuardedAsync(PipeGoodbye goodbye)
    {
        try
        {
            if (!await TryTellAsync(goodbye).ConfigureAwait(false) || !tunnel.Frames(ofClient: false).HasClosed) return;
        }
        catch (Exception e) when (IsBroken(e) || e is InvalidOperationException)
        {
            goodbye.NoteTold(); // The pipe has ended, and with it the tunnel.
            return;
        }

        // The backend had said all before, and a read waits for more.
        await Task.WhenAny(goodbye.Answered, _toBackend).ConfigureAwait(false);
        TryEndBackend(goodbye);
    }

    // Lets others write to the client. Returns whether a goodbye was said: either this sees it, or it sees that the floor is free.
    private bool IsSaid()
    {
        Interlocked.Exchange(ref _floor, Free);
        return tunnel.Goodbye is not null;
    }

    // Returns whether the backend's bytes still go to the client.
    private bool TakesFloor()
    {
        var spin = default(SpinWait);
        while (true)
        {
            var was = Interlocked.CompareExchange(ref _floor, Taken, Free);
            if (was != Taken) return was == Free;
            spin.SpinOnce(); // Somebody looks whether this is the border of a frame.
        }
    }

    // Puts our Close to the client if this is the border of a frame. Returns whether the client gets nothing more of the backend's.
    private async ValueTask<bool> TryTellAsync(PipeGoodbye goodbye)
    {
        if (Interlocked.CompareExchange(ref _floor, Taken, Free) is not Free and var was) return was == IsTold;
        var (frames, fromClient) = (tunnel.Frames(ofClient: false), tunnel.Frames(ofClient: true));
        var isLost = frames.IsLost || fromClient.IsLost;
        if (isLost || frames is { IsBetweenFrames: false, HasClosed: false })
        {
            Volatile.Write(ref _floor, Free);
            if (!isLost) return false;
            goodbye.NoteTold(); // As well as can be: by the end of the connection.
            TryEndBackend(goodbye);
            return false;
        }

        await TellClientAsync(goodbye).ConfigureAwait(false);
        return true;
    }

    // The caller has the floor, at the border of a frame.
    private async ValueTask TellClientAsync(PipeGoodbye goodbye)
    {
        Volatile.Write(ref _floor, IsTold);
        if (!_pinging.IsCompleted) await _pinging.ConfigureAwait(false);
        if (!tunnel.Frames(ofClient: false).HasClosed)
        {
            client.Output.Advance(CloseFrame.Write(client.Output.GetSpan(CloseFrame.Longest), goodbye.Word.Code, goodbye.Word.Reason, isMasked: false));
        }

        _telling = FlushAsync().AsTask();
        goodbye.NoteTold(); // It is queued: that the client is slow is nothing to its backend.
        await _telling.ConfigureAwait(false);
    }

    // Returns what comes after the border at which a goodbye is put.
    private byte[] Pass(ReadOnlyMemory<byte> bytes)
    {
        var passed = Admit(bytes.Span);
        client.Output.Advance(passed);
        tunnel.CountToClient(bytes.Span[..passed]);
        return passed < bytes.Length ? bytes[passed..].ToArray() : [];
    }

    // The number of bytes that still go to the client.
    private int Admit(ReadOnlySpan<byte> bytes)
    {
        if (tunnel.Goodbye is null) return bytes.Length;
        var frames = tunnel.Frames(ofClient: false);
        return frames.FollowFrame(bytes);
    }

    // The border of a frame is within what was read.
    private async ValueTask<EndReason> TellAndHearOutAsync(PipeGoodbye goodbye, byte[] rest)
    {
        await TellClientAsync(goodbye).ConfigureAwait(false);
        tunnel.Frames(ofClient: false).Follow(rest);
        return await HearOutAsync(goodbye).ConfigureAwait(false);
    }

    // The backend has ended before the client was told.
    private async ValueTask<EndReason> EndWithBackendAsync(PipeGoodbye goodbye)
    {
        if (tunnel.Frames(ofClient: false).IsBetweenFrames) await TellClientAsync(goodbye).ConfigureAwait(false);
        goodbye.NoteTold();
        return await HearOutAsync(goodbye).ConfigureAwait(false);
    }

    // The client gets nothing more of the backend's. Reads the backend to its Close or its end, and waits for the client's.
    private async ValueTask<EndReason> HearOutAsync(PipeGoodbye goodbye)
    {
        if (tunnel.Watch?.Backend.Ping is { } ping) tunnel.Frames(ofClient: false).Follow(ping.Release().Span);
        try
        {
            while (!tunnel.Frames(ofClient: false).HasClosed && await DropPieceAsync().ConfigureAwait(false))
            {
                // Until it has said all.
            }
        }
        catch (Exception e) when (IsBroken(e))
        {
            // There is nobody to wait for.
        }

        await Task.WhenAny(goodbye.Answered, _toBackend).ConfigureAwait(false);
        await goodbye.Told.ConfigureAwait(false);
        await _telling.ConfigureAwait(false);
        if (!_isBackendDeaf) await TryAsync(tunnel.BackendConnection.ShutdownSendAsync()).ConfigureAwait(false);
        if (!_isBackendDeaf) await tunnel.ToBackend.WaitAsync(SocketView.Of(tunnel.BackendConnection.Socket)).ConfigureAwait(false);
        _isBackendDeaf = true;
        return EndReason.BackendClosed;
    }

    // No buffer is held while nothing comes.
    private async ValueTask<bool> DropPieceAsync()
    {
        await tunnel.BackendConnection.Stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(SmallRead);
        try
        {
            var read = await tunnel.BackendConnection.Stream.ReadAsync(buffer).ConfigureAwait(false);
            tunnel.Frames(ofClient: false).Follow(buffer.AsSpan(0, read));
            return read > 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The client's direction was woken, or has passed a piece on.
    private ValueTask HeedAsync(PipeGoodbye goodbye)
    {
        if (tunnel.Frames(ofClient: true).HasClosed) goodbye.NoteAnswered();
        return goodbye.IsClientGivenUp ? TellBackendAsync(goodbye) : default;
    }

    // The client's direction: puts our Close to the backend, which gets nothing more of the client's.
    private async ValueTask TellBackendAsync(PipeGoodbye goodbye)
    {
        if (goodbye.Answered.IsCompleted) return;
        if (!_isBackendDeaf && tunnel.Frames(ofClient: true).IsBetweenFrames)
        {
            var frame = new byte[CloseFrame.Longest];
            var length = CloseFrame.Write(frame, goodbye.Word.Code, goodbye.Word.Reason, isMasked: true);
            await TryAsync(tunnel.BackendConnection.Stream.WriteAsync(frame.AsMemory(0, length))).ConfigureAwait(false);
        }

        goodbye.NoteAnswered();
    }

    private void GiveClientUp(PipeGoodbye goodbye)
    {
        goodbye.GiveClientUp();
        client.Input.CancelPendingRead();
    }

    // Nothing more is waited for. The directions then end by themselves, each after what it is doing.
    private bool TryEndBackend(PipeGoodbye goodbye)
    {
        if (!goodbye.TryEnd()) return false;
        GiveClientUp(goodbye);
        try
        {
            tunnel.BackendConnection.StopReceiving();
        }
        catch (Exception e) when (IsBroken(e))
        {
            // It has ended already.
        }

        return true;
    }
}
