using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>
/// A client of the raw lane: its socket was detached from Kestrel, which releases the connection as soon as the tunnel is established. Owns the
/// socket until then.
/// </summary>
internal sealed class DetachedClient(RawSocket socket, ConnectionTuple tuple, string connectionId, int headLength, TimeProvider time)
    : ClientLeg<RawBackendConnection>, IAsyncDisposable
{
    private static readonly TimeSpan LongestLinger = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestSend = TimeSpan.FromSeconds(10);

    // A body may arrive and leave at memory speed, and the thread may be a reactor's.
    private const int BytesPerTurn = 256 * 1024;

    private readonly ArrayBufferWriter<byte> _output = new(512);
    private int _turn;
    private bool _isAnswered;

    public Reactor Reactor => socket.Reactor;

    public override ClientInfo Info { get; } = new(tuple.SourceAddress, "http");

    public override ConnectionTuple? Tuple => tuple;

    public override string ConnectionId => connectionId;

    public override string Lane => LaneNames.Raw;

    public override IBackendConnector<RawBackendConnection> Connector { get; } = new RawConnector(socket.Reactor);

    public override CancellationToken Left => socket.Left;

    public override async ValueTask<bool> AcceptAsync(ResponseHead answer, ReadOnlyMemory<byte> afterHead)
    {
        socket.Skip(headLength);
        ResponseHeadWriter.WriteSwitchingProtocols(_output, answer);
        _output.Write(afterHead.Span);
        await SendAsync(_output.WrittenMemory).ConfigureAwait(false);
        return true;
    }

    public override Task RelayAsync(OpenedBackend<RawBackendConnection> opened, TunnelOptions options, TunnelTable tunnels)
    {
        try
        {
            var tunnel = new RawTunnel(tuple, connectionId, opened.Lease, tunnels.Now, socket.Reactor, tunnels);
            tunnel.Begin(opened.Behind, opened.End);
            tunnel.Join(socket, opened.Connection.Socket, options);
        }
        catch
        {
            opened.Connection.Dispose();
            throw;
        }

        return Task.CompletedTask;
    }

    public override async ValueTask RefuseAsync(Refusal refusal)
    {
        await SendAsync(refusal.ToBytes()).ConfigureAwait(false);
        _isAnswered = true;
    }

    public override async ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken)
    {
        try
        {
            ResponseHeadWriter.WriteClosing(_output, answer);
            await SendAsync(_output.WrittenMemory).ConfigureAwait(false);
            _output.ResetWrittenCount();
            await body.CopyToAsync(_output, FlushAsync, cancellationToken).ConfigureAwait(false);
            _isAnswered = true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Abort(); // A body delimited by the close must not look complete.
        }
    }

    public override void Abort() => socket.Abort();

    /// <summary>
    /// Closes the socket, unless it was handed over to a tunnel; after a response in a way that lets the client read it. No backend is held
    /// meanwhile.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isAnswered) await socket.LingerAsync(LongestLinger, time).ConfigureAwait(false);
        socket.Dispose();
    }

    // Completes synchronously as a rule; a client that reads nothing must not hold its backend.
    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var left = bytes[socket.TrySend(bytes.Span)..];
        return left.IsEmpty ? default : SendRestAsync(left);
    }

    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes)
    {
        using var timer = new CancellationTokenSource(LongestSend, time);
        using var leaving = socket.Left.UnsafeRegister(static timer => ((CancellationTokenSource)timer!).Cancel(), timer);
        await socket.SendAsync(bytes, timer.Token).ConfigureAwait(false);
    }

    private async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken)
    {
        _turn += _output.WrittenCount;
        if (_turn >= BytesPerTurn)
        {
            _turn = 0;
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        await socket.SendAsync(_output.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _output.ResetWrittenCount();
        return default;
    }
}
