using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Detection;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>A backend on bare sockets: answers the handshake, then each of the load's frames with one of its own.</summary>
internal static class EchoBackend
{
    public static Task<int> RunAsync()
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        _ = AcceptAsync(listener);
        return Commands.ServeAsync(((IPEndPoint)listener.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture), _ => Task.FromResult("?"));
    }

    private static async Task AcceptAsync(Socket listener)
    {
        while (true) _ = ServeAsync(await listener.AcceptAsync());
    }

    private static async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        socket.NoDelay = true;
        try
        {
            await AnswerHandshakeAsync(socket);
            var (request, answer) = (new byte[WebSocketFrame.FromClient().Length], WebSocketFrame.FromServer());
            while (await ReadWholeAsync(socket, request)) await socket.SendAsync(answer);
        }
        catch (SocketException)
        {
            // The load breaks its connections when it has measured enough.
        }
    }

    private static async Task AnswerHandshakeAsync(Socket socket)
    {
        var head = new StringBuilder();
        var buffer = new byte[2048];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append(Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer)));
        var key = head.ToString().Split("\r\n").First(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(':')[1].Trim();
        var accept = new byte[28];
        WebSocketKey.WriteAccept(Encoding.ASCII.GetBytes(key), accept);
        var answer = $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {Encoding.ASCII.GetString(accept)}\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(answer));
    }

    private static async ValueTask<bool> ReadWholeAsync(Socket socket, Memory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var read = await socket.ReceiveAsync(buffer);
            if (read == 0) return false;
            buffer = buffer[read..];
        }

        return true;
    }
}
