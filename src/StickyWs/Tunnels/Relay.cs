using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Dialing;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// Moves a tunnel's bytes through pipes, exactly and in order, on any transport that Kestrel has. Each direction reads only after it has written, so
/// a stalled reader stops the sender; an idle tunnel holds no buffers. When one side accepts no more, what it sent before still counts: the other
/// direction goes on, and what would go to that side is read and dropped.
/// </summary>
#pragma warning disable CA1001 // The source has no timer and no handle: it is memory.
internal sealed partial class Relay(PipeTunnel tunnel, IDuplexPipe client, TunnelTable tunnels)
#pragma warning restore CA1001
{
    // The buffer size once a read has filled what the pipe offers by default (4 KiB on Kestrel): the data is bulk then.
    private const int BulkRead = 32 * 1024;

    private const int SmallRead = 4 * 1024;

    // A client that was silent for this long, while its backend has taken everything, is not in the middle of sending.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private Task _toBackend = Task.CompletedTask;
    private volatile bool _hasClientFinished;
    private volatile bool _endsInOrder;
    private volatile bool _isWriting;

    // The client's pipe has not taken the last piece yet.
    private volatile bool _isPassing;

    // The backend accepts no more ...
    private volatile bool _isBackendDeaf;

    // ... because its connection broke without a FIN before.
    private volatile bool _hasBackendBroken;

    /// <summary>Runs until both directions have ended. Throws only on a defect.</summary>
    public async Task RunAsync()
    {
        tunnel.Attach(this);
        var toBackend = GuardAsync(_toBackend = MoveToBackendAsync());
        var toClient = GuardAsync(MoveToClientAsync());
        await toClient.ConfigureAwait(false);
        await toBackend.ConfigureAwait(false);
        await client.Input.CompleteAsync().ConfigureAwait(false);
        await client.Output.CompleteAsync(new ConnectionAbortedException()).ConfigureAwait(false);
    }

    private async Task GuardAsync(Task direction)
    {
        try
        {
            await direction.ConfigureAwait(false);
        }
        catch
        {
            _isOver = true;
            tunnel.Abort(EndReason.Failed);
            client.Input.CancelPendingRead();
            throw;
        }
    }

    private async Task MoveToBackendAsync()
    {
        try
        {
            while (true)
            {
                var result = await client.Input.ReadAsync().ConfigureAwait(false);
                _isWriting = true;
                if (!result.Buffer.IsEmpty) tunnel.Watch?.Client.Hear(tunnel.Now);
                if (!result.Buffer.IsEmpty && tunnel.Goodbye is not { Answered.IsCompleted: true }) await PassAsync(result.Buffer).ConfigureAwait(false);
                if (tunnel.Watch is { Backend.IsDue: true } watch) await AskBackendAsync(watch).ConfigureAwait(false);
                tunnel.Watch?.Backend.NoteRoom(tunnel.Now);
                _isWriting = false;
                client.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCanceled && _isOver) return;
                if (tunnel.Goodbye is { } goodbye) await HeedAsync(goodbye).ConfigureAwait(false);
                if (result.IsCompleted) break;
            }

            tunnel.Watch?.Client.Hear(tunnel.Now); // What it does not answer is nothing any more.
            await PassHeldToBackendAsync().ConfigureAwait(false);
            if (!_isBackendDeaf) tunnel.Note(ReasonOf(EndReason.ClientClosed));
            tunnel.NoteHalfClosed();
            _hasClientFinished = true;
            if (_endsInOrder) tunnel.ToClient.Cancel(); // It will send nothing more that could reset what is on its way to it.
            if (tunnel.Goodbye is { } word) await TellBackendAsync(word).ConfigureAwait(false);
            else if (!_isBackendDeaf) await TryAsync(tunnel.BackendConnection.ShutdownSendAsync()).ConfigureAwait(false);
        }
        catch (Exception e) when (IsBroken(e) && tunnel.Goodbye is { Told.IsCompleted: true })
        {
            tunnel.ToClient.Cancel();
            await TellBackendAsync(tunnel.Goodbye).ConfigureAwait(false);
        }
        catch (Exception e) when (IsBroken(e))
        {
            tunnel.Note(ReasonOf(EndReason.ClientReset));
            tunnel.ToClient.Cancel();
            tunnel.BackendConnection.Abort();
        }
    }

    private async ValueTask WriteAsync(ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes) await tunnel.BackendConnection.Stream.WriteAsync(segment).ConfigureAwait(false);
        tunnel.CountToBackend(bytes);
    }

    // The backend may have finished before, and what it sent must still be read: the other direction sees its end.
    private async ValueTask<bool> TryAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (IsBroken(e))
        {
            _hasBackendBroken = !HadFinished(e);
            _isBackendDeaf = true;
            return false;
        }
    }

    private async Task MoveToClientAsync()
    {
        try
        {
            var end = await ReadToEndAsync().ConfigureAwait(false);
            tunnel.BeginEnd();
            if (!_pinging.IsCompleted) await Task.WhenAny(_pinging, Task.Delay(tunnel.LongestHearing, tunnels.Time)).ConfigureAwait(false);
            if (end != EndReason.ClientClosed) await EndAsync(end).ConfigureAwait(false);
            else await HearClientOutAsync().ConfigureAwait(false);
        }
        finally
        {
            // No transport here can receive from the client once the other half is closed.
            _isOver = true;
            client.Input.CancelPendingRead();
        }
    }

    // Returns why there is nothing more to pass on.
    private async ValueTask<EndReason> ReadToEndAsync()
    {
        var sizeHint = 0;
        while (true)
        {
            int read;
            Memory<byte> memory;
            CancellationToken woken = default;
            var hasFloor = false;
            if (tunnel.Watch is { Client.IsDue: true } watch) await AskClientAsync(watch).ConfigureAwait(false);
            if (IsSaid() && await TryTellAsync(tunnel.Goodbye!).ConfigureAwait(false)) return await HearOutAsync(tunnel.Goodbye!).ConfigureAwait(false);
            try
            {
                await tunnel.BackendConnection.Stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                hasFloor = TakesFloor();
                if (!hasFloor) return await HearOutAsync(tunnel.Goodbye!).ConfigureAwait(false);
                if (!_pinging.IsCompleted) await _pinging.ConfigureAwait(false);
                memory = client.Output.GetMemory(sizeHint);
                woken = UntilWoken;
                read = await tunnel.BackendConnection.Stream.ReadAsync(memory, woken).ConfigureAwait(false);
                sizeHint = read == memory.Length ? BulkRead : 0;
            }
            catch (OperationCanceledException) when (woken.IsCancellationRequested && tunnel.Goodbye is not { IsEnding: true })
            {
                continue;
            }
            catch (Exception e) when (IsBroken(e))
            {
                // A client that has its Close may answer it, whatever became of the backend. From here on nobody else writes to the client.
                var isTold = !hasFloor && !TakesFloor();
                if (tunnel.Goodbye is { } word && (word.IsEnding || isTold)) return await HearOutAsync(word).ConfigureAwait(false);
                await PassHeldAsync().ConfigureAwait(false);
                return EndReason.BackendReset;
            }

            if (read == 0 && tunnel.Goodbye is { } said) return await EndWithBackendAsync(said).ConfigureAwait(false);
            if (read == 0) await PassHeldAsync().ConfigureAwait(false);
            if (read == 0) await SettleWriteAsync().ConfigureAwait(false);
            if (read == 0) return _hasBackendBroken ? EndReason.BackendReset : EndReason.BackendClosed;
            var rest = tunnel.Watch is { } watching ? PassWatched(watching, memory[..read]) : Pass(memory[..read]);
            if (rest.Length > 0) return await TellAndHearOutAsync(tunnel.Goodbye!, rest).ConfigureAwait(false);
            _isPassing = true;
            var takesMore = await FlushAsync().ConfigureAwait(false);
            _isPassing = false;
            NoteTakenByClient();
            if (takesMore) continue;
            return _hasClientFinished || tunnel.Client.HasFinished ? EndReason.ClientClosed : EndReason.ClientReset;
        }
    }

    // The kernel reports a break once. If a write got the report, this end is all that the read sees, and the write may not have noted it yet. On a
    // closed connection a write ends at once.
    private async ValueTask SettleWriteAsync()
    {
        while (_isWriting && SendQueue.IsClosed(SocketView.Of(tunnel.BackendConnection.Socket))) await Task.Yield();
    }

    // Whether the client accepts more.
    private async ValueTask<bool> FlushAsync()
    {
        try
        {
            return !(await client.Output.FlushAsync().ConfigureAwait(false)).IsCompleted;
        }
        catch (Exception e) when (IsBroken(e))
        {
            return false;
        }
    }

    // Ends the client's side after the last byte that the client acknowledges. A broken connection is passed on as a reset, except to an HTTP/2
    // stream: there the reset would overtake what waits for the stream's flow-control window.
    private async ValueTask EndAsync(EndReason reason)
    {
        if (reason == EndReason.ClientReset)
        {
            tunnel.Abort(ReasonOf(reason));
            return;
        }

        tunnel.Note(ReasonOf(reason));
        tunnel.NoteHalfClosed();
        var isInOrder = _endsInOrder = reason == EndReason.BackendClosed;
        var heard = tunnel.BytesToBackend;
        var isDelivered = (isInOrder && _hasClientFinished) || await DeliverAsync().ConfigureAwait(false);
        if (!isDelivered) tunnel.Abort(EndReason.IdleTimeout);
        else if (isInOrder || tunnel.Client.Socket.IsNone) await FinishAsync(heard).ConfigureAwait(false);
        else tunnel.Abort(reason);
    }

    private ValueTask<bool> DeliverAsync()
        => tunnel.ToClient.WaitAsync(tunnel.Client.Socket, tunnel.Goodbye is null ? null : PipeGoodbye.LongestDrain);

    // Closing ends the client's half as well, so what the client is sending goes first, as long as the backend accepts it.
    private async ValueTask FinishAsync(long heard)
    {
        var began = tunnels.Time.GetTimestamp();
        var isFirst = true; // The client has only just learnt that the backend has finished, and may have last bytes to send.
        while (!_isBackendDeaf && !_toBackend.IsCompleted && tunnels.Time.GetElapsedTime(began) < tunnel.LongestHearing
            && (isFirst || _isWriting || tunnel.BytesToBackend != heard || tunnel.Client.Socket.HasUnread))
        {
            (heard, isFirst) = (tunnel.BytesToBackend, false);
            await Task.WhenAny(Task.Delay(Silence, tunnels.Time), _toBackend).ConfigureAwait(false);
        }

        await client.Output.CompleteAsync().ConfigureAwait(false);
    }

    // The client has closed in order: what it sent still goes to the backend, and what the backend sends is dropped.
    private async ValueTask HearClientOutAsync()
    {
        var dropping = DropAsync();
        await _toBackend.ConfigureAwait(false);
        await Task.WhenAny(dropping, tunnel.ToBackend.WaitAsync(SocketView.Of(tunnel.BackendConnection.Socket)).AsTask()).ConfigureAwait(false);
        tunnel.BackendConnection.Dispose();
        await dropping.ConfigureAwait(false);
    }

    private async Task DropAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SmallRead);
        try
        {
            while (await tunnel.BackendConnection.Stream.ReadAsync(buffer).ConfigureAwait(false) > 0)
            {
                // Nothing is left to receive it.
            }
        }
        catch (Exception e) when (IsBroken(e))
        {
            // The backend is gone, too.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Kestrel aborts connections when the shutdown time is over. What the relay sees of that depends on the layers between (TLS, HTTP).
    private EndReason ReasonOf(EndReason seen) => tunnels.IsShutDown ? EndReason.Shutdown : seen;

    // ObjectDisposed: the other direction or a shutdown has already aborted the connection and noted why.
    private static bool IsBroken(Exception e)
        => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    // The kernel reports a reset after a FIN as a broken pipe, one without a FIN as a reset.
    private static bool HadFinished(Exception e)
        => (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode == SocketError.Shutdown;
}
