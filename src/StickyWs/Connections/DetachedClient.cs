using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>
/// A client of the raw lane: its socket was detached from Kestrel, which releases the connection as soon as the tunnel is established. Owns the
/// socket until then.
/// </summary>
internal sealed class DetachedClient(
    RawSocket socket, ConnectionTuple tuple, string connectionId, int headLength, TimeProvider time, TlsStart? tls = null, string? tlsVersion = null)
    : ClientLeg<RawBackendConnection>, IOpaqueClient, IAsyncDisposable
{
    private static readonly TimeSpan LongestLinger = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestSend = TimeSpan.FromSeconds(10);

    // A body may arrive and leave at memory speed, and the thread may be a reactor's.
    private const int BytesPerTurn = 256 * 1024;

    private readonly ArrayBufferWriter<byte> _output = new(512);
    private int _turn;
    private bool _isAnswered;
    private TlsEnd? _tls = tls?.End;
    private ReadOnlyMemory<byte> _owed = tls?.Owed ?? default;

    public Reactor Reactor => socket.Reactor;

    public override ClientInfo Info { get; } = new(tuple.SourceAddress, tls is null ? "http" : "https");

    public override ConnectionTuple? Tuple => tuple;

    public override string ConnectionId => connectionId;

    public override string Lane => LaneNames.Raw;

    public override string? TlsVersion { get; } = tlsVersion;

    /// <summary>Does TLS to https backends.</summary>
    public RawBackendTls? BackendTls { get; set; }

    /// <summary>Without TLS: what was received behind the head already. The tunnel begins with it.</summary>
    public ReadOnlyMemory<byte> Early { get; init; }

    public override IBackendConnector<RawBackendConnection> Connector => new RawConnector(socket.Reactor, BackendTls);

    public override CancellationToken Left => socket.Left;

    public override async ValueTask<bool> AcceptAsync(ResponseHead answer, ReadOnlyMemory<byte> afterHead)
    {
        socket.Skip(headLength);
        ResponseHeadWriter.WriteSwitchingProtocols(_output, answer);
        _output.Write(afterHead.Span);
        await SendAsync(_output.WrittenMemory).ConfigureAwait(false);
        return true;
    }

    public int HelloLength => headLength;

    public void CopyHello(Span<byte> hello)
    {
        if (socket.TryPeek(hello) < hello.Length) throw new IOException("The peeked bytes are no longer there.");
    }

    public ValueTask AcceptAsync(ReadOnlyMemory<byte> first)
    {
        socket.Skip(headLength);
        return SendAsync(first);
    }

    public override Task RelayAsync(OpenedBackend<RawBackendConnection> opened, TunnelOptions options, TunnelTable tunnels)
    {
        try
        {
            var tunnel = new RawTunnel(tuple, connectionId, opened.Lease, tunnels.Now, socket.Reactor, tunnels) { Record = opened.Record };
            tunnel.Begin(opened.Behind, opened.Frames, opened.HasFrames, opened.Client);
            tunnel.Join(socket, opened.Connection.Socket, options, tls, opened.Connection.Tls, Early);
            _tls = null;
        }
        catch
        {
            opened.Connection.Dispose();
            throw;
        }

        return Task.CompletedTask;
    }

    public override ValueTask RefuseAsync(Refusal refusal) => RefuseAsync(refusal.ToBytes());

    public async ValueTask RefuseAsync(ReadOnlyMemory<byte> alert)
    {
        await SendAsync(alert).ConfigureAwait(false);
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
        if (_isAnswered)
        {
            await SayCloseNotifyAsync().ConfigureAwait(false);
            await socket.LingerAsync(LongestLinger, time).ConfigureAwait(false);
        }

        _tls?.Dispose();
        socket.Dispose();
    }

    // Completes synchronously as a rule; a client that reads nothing must not hold its backend.
    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is { } tls) return SendRecordsAsync(tls.Seal(bytes.Span));
        var left = bytes[socket.TrySend(bytes.Span)..];
        return left.IsEmpty ? default : SendRestAsync(left);
    }

    private ValueTask SendRecordsAsync(ReadOnlySpan<byte> records)
    {
        if (!_owed.IsEmpty)
        {
            records = (byte[])[.. _owed.Span, .. records];
            _owed = default;
        }

        var sent = socket.TrySend(records);
        return sent == records.Length ? default : SendRestAsync(records[sent..].ToArray());
    }

    // The connection may have broken after the response.
    private async ValueTask SayCloseNotifyAsync()
    {
        if (_tls is null) return;
        try
        {
            await SendRecordsAsync(_tls.Close()).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone; there is nobody to tell.
        }
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

        var bytes = _tls is null ? _output.WrittenMemory : _tls.Seal(_output.WrittenSpan).ToArray();
        await socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false);
        _output.ResetWrittenCount();
        return default;
    }
}
