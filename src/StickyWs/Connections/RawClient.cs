using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using StickyWs.Detection;
using StickyWs.Forwarding;

namespace StickyWs.Connections;

/// <summary>A client whose handshake was sniffed on its raw connection: no HTTP server is between it and the tunnel.</summary>
internal sealed class RawClient(ConnectionContext connection, int headLength) : ClientLeg
{
    public override ClientInfo Info { get; } = new(
        (connection.RemoteEndPoint as IPEndPoint)?.Address,
        connection.Features.Get<ITlsHandshakeFeature>() is null ? "http" : "https");

    public override string ConnectionId => connection.ConnectionId;

    public override CancellationToken Left => connection.ConnectionClosed;

    public override async ValueTask<IDuplexPipe?> AcceptAsync(ResponseHead answer)
    {
        var output = connection.Transport.Output;
        output.Write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"u8);
        WriteHeaders(output, answer);
        output.Write("\r\n"u8);
        await output.FlushAsync().ConfigureAwait(false);
        var input = connection.Transport.Input;
        var read = await input.ReadAsync().ConfigureAwait(false);
        input.AdvanceTo(read.Buffer.GetPosition(headLength));
        return connection.Transport;
    }

    public override async ValueTask RefuseAsync(Refusal refusal)
    {
        await connection.Transport.Output.WriteAsync(refusal.ToBytes()).ConfigureAwait(false);
        await connection.Transport.Output.CompleteAsync().ConfigureAwait(false);
    }

    public override async ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken)
    {
        var output = connection.Transport.Output;
        output.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {answer.Status} "));
        output.Write(answer.Reason);
        output.Write("\r\nConnection: close\r\n"u8);
        WriteHeaders(output, answer);
        output.Write("\r\n"u8);
        try
        {
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            await body.CopyToAsync(output, output.FlushAsync, cancellationToken).ConfigureAwait(false);
            await output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            Abort(); // A body that ends with the connection must not look whole.
        }
    }

    public override void Abort() => connection.Abort(new ConnectionAbortedException("The tunnel ended."));

    private static void WriteHeaders(PipeWriter output, ResponseHead answer)
    {
        var headers = answer.ReadHeaders();
        while (headers.Read())
        {
            if (!answer.IsHopByHop(headers.Name)) RequestHeadWriter.WriteHeader(output, headers.Name, headers.Value);
        }
    }
}
