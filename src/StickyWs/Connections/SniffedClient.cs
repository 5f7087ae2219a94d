using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyWs.Detection;
using StickyWs.Forwarding;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>A client whose handshake was sniffed through its connection's pipe: no HTTP server is between it and the tunnel.</summary>
internal sealed class SniffedClient(ConnectionContext connection, int headLength) : PipeLeg
{
    public override ClientInfo Info { get; } = new(
        (connection.RemoteEndPoint as IPEndPoint)?.Address,
        connection.Features.Get<ITlsHandshakeFeature>() is null ? "http" : "https");

    public override ConnectionTuple? Tuple => EndPoints.ToTuple(connection.RemoteEndPoint, connection.LocalEndPoint);

    public override string ConnectionId => connection.ConnectionId;

    public override CancellationToken Left => connection.ConnectionClosed;

    public override async ValueTask RefuseAsync(Refusal refusal)
    {
        await connection.Transport.Output.WriteAsync(refusal.ToBytes()).ConfigureAwait(false);
        await connection.Transport.Output.CompleteAsync().ConfigureAwait(false);
    }

    public override async ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken)
    {
        var output = connection.Transport.Output;
        ResponseHeadWriter.WriteClosing(output, answer);
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

    protected override IConnectionSocketFeature? SocketFeature => connection.Features.Get<IConnectionSocketFeature>();

    protected override ConnectionShare? Share => connection.Features.Get<ConnectionShare>();

    protected override async ValueTask<IDuplexPipe?> OpenAsync(ResponseHead answer)
    {
        var output = connection.Transport.Output;
        ResponseHeadWriter.WriteSwitchingProtocols(output, answer);
        await output.FlushAsync().ConfigureAwait(false);
        var input = connection.Transport.Input;
        var read = await input.ReadAsync().ConfigureAwait(false);
        input.AdvanceTo(read.Buffer.GetPosition(headLength));

        // As Kestrel has it: an upgraded connection does not count against MaxConcurrentConnections.
        connection.Features.Get<IDecrementConcurrentConnectionCountFeature>()?.ReleaseConnection();
        return connection.Transport;
    }
}
