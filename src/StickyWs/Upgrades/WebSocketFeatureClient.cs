using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Http1;

namespace StickyWs.Upgrades;

/// <summary>
/// A client of a server that offers WebSockets but no raw stream, such as the in-memory server of <c>WebApplicationFactory</c>. Its messages are
/// framed here, as a client would, and carried by the tunnel. For tests; real servers never use this.
/// </summary>
internal sealed class WebSocketFeatureClient(HttpContext context, IHttpWebSocketFeature feature) : PipelineClient(context)
{
    private WebSocket? _client;

    public override bool HasOwnKey => false;

    public override bool IsInMemory => true;

    public override void Abort()
    {
        _client?.Abort();
        base.Abort();
    }

    protected override async ValueTask<IDuplexPipe> UpgradeAsync(ResponseHead answer)
    {
        var accept = new WebSocketAcceptContext { SubProtocol = answer.Single("Sec-WebSocket-Protocol"u8) };
        _client = await feature.AcceptAsync(accept).ConfigureAwait(false);
        var (toTunnel, fromTunnel) = (new Pipe(), new Pipe());
        _ = FrameAsync(_client, new DuplexPipe(fromTunnel.Reader, toTunnel.Writer));
        return new DuplexPipe(toTunnel.Reader, fromTunnel.Writer);
    }

    private static async Task FrameAsync(WebSocket client, DuplexPipe tunnel)
    {
        var stream = new DuplexPipeStream(tunnel.Input.AsStream(), tunnel.Output.AsStream());
        using var framed = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false });
        await Task.WhenAll(PumpAsync(client, framed), PumpAsync(framed, client)).ConfigureAwait(false);
    }

    private static async Task PumpAsync(WebSocket from, WebSocket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var received = await from.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    var status = from.CloseStatus is { } given and not WebSocketCloseStatus.Empty ? given : WebSocketCloseStatus.NormalClosure;
                    await to.CloseOutputAsync(status, from.CloseStatusDescription, CancellationToken.None).ConfigureAwait(false);
                    return;
                }

                var message = buffer.AsMemory(0, received.Count);
                await to.SendAsync(message, received.MessageType, received.EndOfMessage, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException
            or ObjectDisposedException or InvalidOperationException)
        {
            from.Abort(); // One side broke: abort the other, as a tunnel does.
            to.Abort();
        }
    }
}
