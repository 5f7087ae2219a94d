using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>
/// The two pipes of a connection that has become an ordinary one. They behave as those of .NET's own socket connections, with the same buffer limits
/// in both directions and the same ends, on the connection's reactor.
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

    /// <param name="socket">An accepted socket; owned by the transport from here on.</param>
    /// <param name="connectionId">Its id in the log.</param>
    /// <param name="settings">Buffer limits and more.</param>
    /// <param name="logger">Logs its end, at Debug.</param>
    /// <param name="tls">The TLS end that the handshake has left, if the connection is encrypted; owned by the transport from here on.</param>
    /// <param name="early">Without TLS: what was received already. It comes first.</param>
    /// <exception cref="IOException">The kernel cannot watch another socket; the caller still owns everything.</exception>
    public RawTransport(
        RawSocket socket, string connectionId, ChannelSettings settings, ILogger logger, TlsStart? tls = null, ReadOnlyMemory<byte> early = default)
        : this(connectionId, settings, logger, owner => new Channel(socket, owner, settings.FromClient, isReadToTheEnd: false, tls, early))
    {
    }

    /// <summary>The same of a socket that streams already. On the reactor's thread.</summary>
    public RawTransport(StreamingSocket socket, string connectionId, ChannelSettings settings, ILogger logger)
        : this(connectionId, settings, logger, owner => new Channel(socket, owner, settings.FromClient))
    {
    }

    private RawTransport(string connectionId, ChannelSettings settings, ILogger logger, Func<IChannelOwner, Channel> open)
    {
        _connectionId = connectionId;
        _logger = logger;
        Closed = _closed.Token;
        _output = new Pipe(settings.ToClient);
        _channel = open(this);
        _channel.Start();
        _sending = SendAsync();
    }

    public PipeReader Input => _channel.Input;

    public PipeWriter Output => _output.Writer;

    /// <summary>Fires, on the thread pool, when nothing more will arrive.</summary>
    public CancellationToken Closed { get; }

    public Socket Socket => _channel.Socket;

    public bool HasPeerFinished => _channel.HasPeerFinished;

    public int GetOption(int level, int name, Span<byte> value) => _channel.GetOption(level, name, value);

    public int Available => _channel.Available;

    public bool HasUnsent => _channel.HasUnsent;

    public void SetDeadPeerTimeout(int milliseconds) => _channel.SetDeadPeerTimeout(milliseconds);

    /// <summary>Resets the connection (RST).</summary>
    public void Abort(ConnectionAbortedException reason)
    {
        _channel.Close(reason, isReset: true);
        _output.Reader.CancelPendingRead();
    }

    void IChannelOwner.InputEnded()
        => ThreadPool.UnsafeQueueUserWorkItem(static transport => transport.FireClosed(), this, preferLocal: false);

    /// <summary>Sends what was written, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        await Output.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        _channel.Close(new ConnectionAbortedException("The connection was closed."), isReset: false);
        await _hasClosed.Task.ConfigureAwait(false);
        _closed.Dispose();
    }

    // Continues where the application has flushed, so that a send needs no thread switch.
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
                if (!read.IsCompleted) continue;
                await _channel.FinishTlsAsync(CancellationToken.None).ConfigureAwait(false);
                break;
            }
        }
#pragma warning disable CA1031 // A broken connection, or the exception that a middleware completed its output with.
        catch (Exception e)
#pragma warning restore CA1031
        {
            broken = e;
        }

        // A client that has closed in order takes nothing more, but what it sent before can still be read.
        if (broken is not IOException || !_channel.HasPeerFinished)
        {
            var end = broken ?? new ConnectionAbortedException("The connection was closed after everything was sent.");
            _channel.Close(end, isReset: broken is not null);
        }

        // A writer to a broken connection sees a completed reader.
        await _output.Reader.CompleteAsync(broken is IOException ? null : broken).ConfigureAwait(false);
    }

    private void FireClosed()
    {
        try
        {
            _closed.Cancel();
            if (_channel.Failure is IOException broken) LogConnectionBroke(_logger, _connectionId, broken.Message);
        }
#pragma warning disable CA1031 // A handler has thrown; the others were called all the same.
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
#pragma warning disable CA1031 // The logger itself may have failed; then the failure cannot be reported.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The connection has closed all the same.
        }
    }

    [LoggerMessage(EventIds.ConnectionBroke, LogLevel.Debug, "Connection {ConnectionId} broke: {Error}", EventName = "ConnectionBroke")]
    private static partial void LogConnectionBroke(ILogger logger, string connectionId, string error);

    [LoggerMessage(EventIds.CloseHandlerFailed, LogLevel.Error,
        "Connection {ConnectionId}: a handler of ConnectionClosed failed",
        EventName = "CloseHandlerFailed")]
    private static partial void LogCloseHandlerFailed(ILogger logger, string connectionId, Exception exception);
}
