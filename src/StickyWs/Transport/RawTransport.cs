using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Transport;

/// <summary>
/// The two pipes of a connection that has become an ordinary one. They do what those of the runtime's own socket connections do, with the same limits
/// for what waits in either direction and the same ends, on the connection's reactor.
/// </summary>
internal sealed partial class RawTransport : IDuplexPipe, IChannelOwner, IAsyncDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _hasClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _connectionId;
    private readonly ILogger _logger;
    private readonly Channel _channel;
    private readonly Pipe _output;
    private readonly Task _sending;

    /// <param name="socket">An accepted socket; the transport's from here on.</param>
    /// <param name="connectionId">What the log calls it.</param>
    /// <param name="settings">How much may wait, and the rest.</param>
    /// <param name="logger">Where its end is told, at Debug.</param>
    /// <exception cref="IOException">The kernel has no room to watch one more; the socket is still the caller's.</exception>
    public RawTransport(RawSocket socket, string connectionId, ChannelSettings settings, ILogger logger)
    {
        _connectionId = connectionId;
        _logger = logger;
        Closed = _closed.Token;
        _output = new Pipe(settings.ToClient);
        _channel = new Channel(socket, this, settings.FromClient, isReadToTheEnd: false);
        _channel.Start();
        _sending = SendAsync();
    }

    public PipeReader Input => _channel.Input;

    public PipeWriter Output => _output.Writer;

    /// <summary>Fires, in the thread pool, when nothing more will arrive.</summary>
    public CancellationToken Closed { get; }

    public Socket Socket => _channel.Socket;

    public bool HasPeerFinished => _channel.HasPeerFinished;

    public int GetOption(int level, int name, Span<byte> value) => _channel.GetOption(level, name, value);

    public int Available => _channel.Available;

    public void SetDeadPeerTimeout(int milliseconds) => _channel.SetDeadPeerTimeout(milliseconds);

    /// <summary>Breaks the connection (RST).</summary>
    public void Abort(ConnectionAbortedException reason)
    {
        _channel.Close(reason, isReset: true);
        _output.Reader.CancelPendingRead();
    }

    void IChannelOwner.InputEnded()
        => ThreadPool.UnsafeQueueUserWorkItem(static transport => transport.FireClosed(), this, preferLocal: false);

    /// <summary>Sends what was written and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        await Output.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _channel.Close(new ConnectionAbortedException("The connection was closed."), isReset: false);
        await _hasClosed.Task.ConfigureAwait(false);
        _closed.Dispose();
    }

    // Goes on where the application has flushed, so a send costs no change of threads.
    private async Task SendAsync()
    {
        Exception? broken = null;
        try
        {
            while (true)
            {
                var read = await _output.Reader.ReadAsync().ConfigureAwait(false);
                if (read.IsCanceled) break;
                await _channel.SendAsync(read.Buffer, CancellationToken.None).ConfigureAwait(false);
                _output.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
        }
#pragma warning disable CA1031 // A broken connection, or the reason that a middleware has for completing its output.
        catch (Exception e)
#pragma warning restore CA1031
        {
            broken = e;
        }

        // A client that has left in order takes nothing more, and what it said before is still to be read.
        if (broken is not IOException || !_channel.HasPeerFinished)
        {
            var end = broken ?? new ConnectionAbortedException("The connection was closed behind all that was to be sent.");
            _channel.Close(end, isReset: broken is not null);
        }

        // Whoever writes to a broken connection is told that nobody reads.
        await _output.Reader.CompleteAsync(broken is IOException ? null : broken).ConfigureAwait(false);
    }

    private void FireClosed()
    {
        try
        {
            _closed.Cancel();
            if (_channel.Failure is IOException broken) LogConnectionBroke(_logger, _connectionId, broken.Message);
        }
#pragma warning disable CA1031 // One who listens has thrown; the others were told all the same.
        catch (Exception e)
#pragma warning restore CA1031
        {
            TryLogCloseHandlerFailed(e);
        }
        finally
        {
            _hasClosed.SetResult();
        }
    }

    private void TryLogCloseHandlerFailed(Exception exception)
    {
        try
        {
            LogCloseHandlerFailed(_logger, _connectionId, exception);
        }
#pragma warning disable CA1031 // It may be the log that failed, and then nobody is left to tell.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The connection has closed all the same.
        }
    }

    [LoggerMessage(EventIds.ConnectionBroke, LogLevel.Debug, "Connection {ConnectionId} broke: {Error}", EventName = "ConnectionBroke")]
    private static partial void LogConnectionBroke(ILogger logger, string connectionId, string error);

    [LoggerMessage(EventIds.CloseHandlerFailed, LogLevel.Error,
        "Connection {ConnectionId}: a handler of its end (ConnectionClosed) has failed",
        EventName = "CloseHandlerFailed")]
    private static partial void LogCloseHandlerFailed(ILogger logger, string connectionId, Exception exception);
}
