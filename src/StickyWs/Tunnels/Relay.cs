using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Dialing;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// Moves a tunnel's bytes through pipes, exactly and in order. Each direction reads only after it has written, so a reader that stalls
/// stops the sender; nothing is held for a tunnel at rest. A side that takes no more does not end what it said before: the other direction goes on, and
/// what would go to it is read and dropped. Works on any transport that Kestrel has.
/// </summary>
internal sealed class Relay(PipeTunnel tunnel, IDuplexPipe client, TunnelTable tunnels)
{
    // Asked for once a read has filled what the pipe gave by itself (4 KiB on Kestrel): bytes come in bulk then.
    private const int BulkRead = 32 * 1024;

    private const int SmallRead = 4 * 1024;

    // A client that has said nothing for so long, while its backend has taken all, is not in the midst of saying something.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(100);

    private Task _toBackend = Task.CompletedTask;
    private volatile bool _hasClientFinished;
    private volatile bool _endsInOrder;
    private volatile bool _isWriting;

    // The backend takes no more ...
    private volatile bool _isBackendDeaf;

    // ... because it broke, and had not finished before.
    private volatile bool _hasBackendBroken;

    /// <summary>Runs until both directions have ended. Throws only for a defect.</summary>
    public async Task RunAsync()
    {
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
                if (!_isBackendDeaf) await TryAsync(WriteAsync(result.Buffer)).ConfigureAwait(false);
                _isWriting = false;
                client.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCanceled) return;
                if (result.IsCompleted) break;
            }

            if (!_isBackendDeaf) tunnel.Note(ReasonOf(EndReason.ClientClosed));
            tunnel.NoteHalfClosed();
            _hasClientFinished = true;
            if (_endsInOrder) tunnel.ToClient.Cancel(); // It has nothing more to send that could harm what is on its way to it.
            if (!_isBackendDeaf) await TryAsync(tunnel.BackendConnection.ShutdownSendAsync()).ConfigureAwait(false);
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

    // The backend may have finished before, and whatever it said is still to be read: the other direction sees its end.
    private async ValueTask TryAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (Exception e) when (IsBroken(e))
        {
            _hasBackendBroken = !HadFinished(e);
            _isBackendDeaf = true;
        }
    }

    private async Task MoveToClientAsync()
    {
        try
        {
            var end = await ReadToEndAsync().ConfigureAwait(false);
            if (end != EndReason.ClientClosed) await EndAsync(end).ConfigureAwait(false);
            else await HearClientOutAsync().ConfigureAwait(false);
        }
        finally
        {
            // No transport here can take in more from the client once the other half is closed.
            client.Input.CancelPendingRead();
        }
    }

    // Why there is nothing more to pass on.
    private async ValueTask<EndReason> ReadToEndAsync()
    {
        var sizeHint = 0;
        while (true)
        {
            int read;
            Memory<byte> memory;
            try
            {
                await tunnel.BackendConnection.Stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                memory = client.Output.GetMemory(sizeHint);
                read = await tunnel.BackendConnection.Stream.ReadAsync(memory).ConfigureAwait(false);
                sizeHint = read == memory.Length ? BulkRead : 0;
            }
            catch (Exception e) when (IsBroken(e))
            {
                return EndReason.BackendReset;
            }

            if (read == 0) return _hasBackendBroken ? EndReason.BackendReset : EndReason.BackendClosed;
            client.Output.Advance(read);
            tunnel.CountToClient(memory.Span[..read]);
            if (!await FlushAsync().ConfigureAwait(false)) return _hasClientFinished || tunnel.Client.HasFinished ? EndReason.ClientClosed : EndReason.ClientReset;
        }
    }

    // Whether the client takes more.
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

    // Behind the last byte that the client acknowledges. A break is passed on as one, but not to a stream of HTTP/2: it would overtake what waits for
    // the stream's window.
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
        if (!(isInOrder && _hasClientFinished) && !await tunnel.ToClient.WaitAsync(tunnel.Client.Socket).ConfigureAwait(false)) tunnel.Abort(EndReason.IdleTimeout);
        else if (isInOrder || tunnel.Client.Socket.IsNone) await FinishAsync(heard).ConfigureAwait(false);
        else tunnel.Abort(reason);
    }

    // This ends the client's half, too; so what it is saying goes first, as long as the backend takes it.
    private async ValueTask FinishAsync(long heard)
    {
        var began = tunnels.Time.GetTimestamp();
        var isFirst = true; // It has just been heard that the backend has finished, and may have a last word.
        while (!_isBackendDeaf && !_toBackend.IsCompleted && tunnels.Time.GetElapsedTime(began) < tunnel.LongestHearing && (isFirst || _isWriting || tunnel.BytesToBackend != heard || tunnel.Client.Socket.HasUnread))
        {
            (heard, isFirst) = (tunnel.BytesToBackend, false);
            await Task.WhenAny(Task.Delay(Silence, tunnels.Time), _toBackend).ConfigureAwait(false);
        }

        await client.Output.CompleteAsync().ConfigureAwait(false);
    }

    // The client has left in order: what it said still goes to the backend, and what the backend says goes nowhere.
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
                // Nobody is there to take it.
            }
        }
        catch (Exception e) when (IsBroken(e))
        {
            // It is over for the backend, too.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Kestrel's stop breaks connections when the shutdown time is over, and what that looks like depends on what lies between (TLS, HTTP).
    private EndReason ReasonOf(EndReason seen) => tunnels.IsShutDown ? EndReason.Shutdown : seen;

    // ObjectDisposed: the other direction, or a shutdown, has broken the connection already and noted why.
    private static bool IsBroken(Exception e)
        => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    // A reset behind a FIN is reported as a broken pipe, one without as a reset.
    private static bool HadFinished(Exception e) => (e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode == SocketError.Shutdown;
}
