using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>
/// Moves a tunnel's bytes through pipes, exactly and in order. Each direction reads only after it has written, so a reader that stalls
/// stops the sender; nothing is held for a tunnel at rest. Works on any transport that Kestrel has.
/// </summary>
internal sealed class Relay(PipeTunnel tunnel, IDuplexPipe client, TunnelTable tunnels)
{
    // Asked for once a read has filled what the pipe gave by itself (4 KiB on Kestrel): bytes come in bulk then.
    private const int BulkRead = 32 * 1024;

    /// <summary>Runs until both directions have ended. Throws only for a defect.</summary>
    public async Task RunAsync()
    {
        var toBackend = GuardAsync(MoveToBackendAsync());
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
        var broken = EndReason.ClientReset;
        try
        {
            while (true)
            {
                broken = EndReason.ClientReset;
                var result = await client.Input.ReadAsync().ConfigureAwait(false);
                broken = EndReason.BackendReset;
                foreach (var segment in result.Buffer) await tunnel.BackendConnection.Stream.WriteAsync(segment).ConfigureAwait(false);
                tunnel.CountToBackend(result.Buffer);
                client.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCanceled) return;
                if (!result.IsCompleted) continue;
                tunnel.Note(ReasonOf(EndReason.ClientClosed));
                tunnel.NoteHalfClosed();
                await tunnel.BackendConnection.ShutdownSendAsync().ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (IsBroken(e))
        {
            // A broken backend is left to the other direction, which still passes on what the backend said before it broke.
            tunnel.Note(ReasonOf(broken));
            if (broken == EndReason.ClientReset) tunnel.BackendConnection.Abort();
        }
    }

    private async Task MoveToClientAsync()
    {
        var broken = EndReason.BackendReset;
        try
        {
            var sizeHint = 0;
            while (true)
            {
                broken = EndReason.BackendReset;
                await tunnel.BackendConnection.Stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                var memory = client.Output.GetMemory(sizeHint);
                var read = await tunnel.BackendConnection.Stream.ReadAsync(memory).ConfigureAwait(false);
                if (read == 0) break;
                sizeHint = read == memory.Length ? BulkRead : 0;
                broken = EndReason.ClientReset;
                client.Output.Advance(read);
                tunnel.CountToClient(memory.Span[..read]);
                var flushed = await client.Output.FlushAsync().ConfigureAwait(false);
                if (!flushed.IsCompleted) continue;
                tunnel.Abort(ReasonOf(EndReason.ClientReset));
                return;
            }

            tunnel.Note(EndReason.BackendClosed);
            await client.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (IsBroken(e))
        {
            tunnel.Abort(ReasonOf(broken));
        }
        finally
        {
            // No transport here can take in more from the client once the other half is closed.
            client.Input.CancelPendingRead();
        }
    }

    // Kestrel's stop breaks connections when the shutdown time is over, and what that looks like depends on what lies between (TLS, HTTP).
    private EndReason ReasonOf(EndReason seen) => tunnels.IsShutDown ? EndReason.Shutdown : seen;

    // ObjectDisposed: the other direction, or a shutdown, has broken the connection already and noted why.
    private static bool IsBroken(Exception e)
        => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;
}
