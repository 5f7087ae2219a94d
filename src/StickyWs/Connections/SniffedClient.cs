using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyWs.Access;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>A client whose handshake, or ClientHello, was sniffed on its connection's pipe: there is no HTTP server between it and the tunnel.</summary>
internal sealed class SniffedClient(ConnectionContext connection, int headLength) : PipeLeg, IOpaqueClient
{
    private bool _isAnswered;

    public override ClientInfo Info { get; } = new(
        EndPoints.ToAddress(connection.RemoteEndPoint),
        connection.Features.Get<ITlsHandshakeFeature>() is null ? "http" : "https");

    public override ConnectionTuple? Tuple => EndPoints.ToTuple(connection.RemoteEndPoint, connection.LocalEndPoint);

    public override string ConnectionId => connection.ConnectionId;

    public override string? TlsVersion => TlsVersions.Of(connection.Features);

    public override CancellationToken Left => connection.ConnectionClosed;

    public override SocketView Socket => SocketView.Of(connection.Features);

    public int HelloLength => headLength;

    public void CopyHello(Span<byte> hello)
    {
        var input = connection.Transport.Input;
        if (!input.TryRead(out var read) || read.Buffer.Length < hello.Length) throw new IOException("The connection was aborted.");
        read.Buffer.Slice(0, hello.Length).CopyTo(hello);
        input.AdvanceTo(read.Buffer.Start);
    }

    public async ValueTask AcceptAsync(ReadOnlyMemory<byte> first)
    {
        await SkipHeadAsync().ConfigureAwait(false);
        await BeginAsync(connection.Transport, first).ConfigureAwait(false);
    }

    public override ValueTask RefuseAsync(Refusal refusal) => RefuseAsync(refusal.ToBytes());

    public async ValueTask RefuseAsync(ReadOnlyMemory<byte> alert)
    {
        await connection.Transport.Output.WriteAsync(alert).ConfigureAwait(false);
        _isAnswered = true;
    }

    public override async ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken)
    {
        var output = connection.Transport.Output;
        ResponseHeadWriter.WriteClosing(output, answer);
        try
        {
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            await body.CopyToAsync(output, output.FlushAsync, cancellationToken).ConfigureAwait(false);
            _isAnswered = true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Abort(); // A body delimited by the close must not look complete.
        }
    }

    /// <summary>
    /// Closes after a response so that the client can read it: further bytes from the client are read and discarded until the response has arrived.
    /// No backend is held meanwhile.
    /// </summary>
    public async ValueTask CloseAsync(TimeProvider time)
    {
        if (!_isAnswered) return;
        var delivery = new Delivery(time, Delivery.AnswerPatience);
        var dropping = DropAsync(delivery);
        if (!await delivery.WaitAsync(Socket).ConfigureAwait(false)) Abort();
        else await connection.Transport.Output.CompleteAsync().ConfigureAwait(false);
        connection.Transport.Input.CancelPendingRead();
        await dropping.ConfigureAwait(false);
    }

    public override void Abort() => connection.Abort(new ConnectionAbortedException("The tunnel ended."));

    protected override ConnectionShare? Share => connection.Features.Get<ConnectionShare>();

    protected override async ValueTask<IDuplexPipe?> OpenAsync(ResponseHead answer)
    {
        var output = connection.Transport.Output;
        ResponseHeadWriter.WriteSwitchingProtocols(output, answer);
        await output.FlushAsync().ConfigureAwait(false);
        await SkipHeadAsync().ConfigureAwait(false);
        return connection.Transport;
    }

    private async ValueTask SkipHeadAsync()
    {
        var input = connection.Transport.Input;
        var read = await input.ReadAsync().ConfigureAwait(false);
        input.AdvanceTo(read.Buffer.GetPosition(headLength));

        // As in Kestrel, an upgraded connection does not count against MaxConcurrentConnections.
        connection.Features.Get<IDecrementConcurrentConnectionCountFeature>()?.ReleaseConnection();
    }

    private async Task DropAsync(Delivery delivery)
    {
        try
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync().ConfigureAwait(false);
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCanceled || read.IsCompleted) break;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Broken: the client no longer waits for the response.
        }

        delivery.Cancel();
    }
}
