using System.Net.WebSockets;
using System.Text;

namespace StickyWs.Examples.EchoBackend;

internal static class Echo
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>Says who it is, then sends every message back unchanged until one side closes.</summary>
    public static async Task RunAsync(HttpContext context, string name, CancellationToken stopping)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes($"This is {name}."), WebSocketMessageType.Text, endOfMessage: true, stopping);
            var buffer = new byte[BufferBytes];
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), stopping);
                if (part.MessageType == WebSocketMessageType.Close) break;
                await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, stopping);
            }

            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stopping);
        }
        catch (WebSocketException gone) when (gone.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely)
        {
            // The client left without a Close frame, as clients do.
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops; leaving ends the connection.
        }
    }
}
