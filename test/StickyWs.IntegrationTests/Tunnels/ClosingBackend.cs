using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>A backend and a client on the runtime's own WebSockets, to see what these make of a close.</summary>
internal static class ClosingBackend
{
    /// <summary>Maps <c>/close</c>, which tells how its WebSocket was closed.</summary>
    public static void Map(WebApplication app, TaskCompletionSource<(WebSocketCloseStatus? Status, string? Reason)> closed)
        => app.Map("/close", async (HttpContext context) =>
        {
            try
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                var received = await socket.ReceiveAsync(new byte[16].AsMemory(), context.RequestAborted);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                closed.TrySetResult((socket.CloseStatus, socket.CloseStatusDescription));
            }
            catch (Exception e)
            {
                closed.TrySetException(e);
                throw;
            }
        });

    /// <summary>What clients connect with.</summary>
    /// <param name="onSend">Told whenever one sends something to the kernel.</param>
    public static HttpMessageInvoker Invoker(Action? onSend = null) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new WatchedStream(socket, onSend);
        },
    });

    public static async Task<ClientWebSocket> ConnectAsync(Uri address, int version, HttpMessageInvoker invoker)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = new Version(version, version == 1 ? 1 : 0);
        socket.Options.KeepAliveInterval = TimeSpan.Zero; // Otherwise it sends Pongs of its own.
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        await socket.ConnectAsync(new UriBuilder(address) { Scheme = scheme, Path = "/close" }.Uri, invoker, Wait.Token());
        return socket;
    }

    private sealed class WatchedStream(Socket socket, Action? onSend) : NetworkStream(socket, ownsSocket: true)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            onSend?.Invoke();
            return base.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
            => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }
}
