using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Detection;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>
/// A backend on bare sockets: answers the handshake, then each of the load's frames with one of its own. It blocks and polls in one thread,
/// which costs less than the runtime's asynchronous sockets: the balancer has to be what limits the run.
/// </summary>
internal static class EchoBackend
{
    private static readonly List<Socket> Open = [];

    public static Task<int> RunAsync()
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        new Thread(() => Serve(listener)) { IsBackground = true }.Start();
        return Commands.ServeAsync(((IPEndPoint)listener.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture), _ => Task.FromResult("?"));
    }

    private static void Serve(Socket listener)
    {
        var (request, answer) = (new byte[WebSocketFrame.FromClient().Length], WebSocketFrame.FromServer());
        var ready = new List<Socket>();
        while (true)
        {
            ready.Clear();
            ready.Add(listener);
            ready.AddRange(Open);
            Socket.Select(ready, null, null, -1);
            foreach (var socket in ready)
            {
                if (socket == listener) Accept(listener);
                else if (!TryEcho(socket, request, answer)) Close(socket);
            }
        }
    }

    private static void Accept(Socket listener)
    {
        var socket = listener.Accept();
        socket.NoDelay = true;
        if (TryAnswerHandshake(socket)) Open.Add(socket);
        else socket.Dispose();
    }

    private static void Close(Socket socket)
    {
        Open.Remove(socket);
        socket.Dispose();
    }

    private static bool TryEcho(Socket socket, byte[] request, byte[] answer)
    {
        try
        {
            for (var read = 0; read < request.Length;)
            {
                var count = socket.Receive(request.AsSpan(read));
                if (count == 0) return false;
                read += count;
            }

            return socket.Send(answer) == answer.Length;
        }
        catch (SocketException)
        {
            return false; // The load breaks its connections when it has measured enough.
        }
    }

    private static bool TryAnswerHandshake(Socket socket)
    {
        var head = new StringBuilder();
        var buffer = new byte[2048];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var count = socket.Receive(buffer);
            if (count == 0) return false;
            head.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        var key = head.ToString().Split("\r\n").First(line => line.StartsWith("Sec-WebSocket-Key:", StringComparison.OrdinalIgnoreCase)).Split(':')[1].Trim();
        var accept = new byte[28];
        WebSocketKey.WriteAccept(Encoding.ASCII.GetBytes(key), accept);
        var answer = $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {Encoding.ASCII.GetString(accept)}\r\n\r\n";
        socket.Send(Encoding.ASCII.GetBytes(answer));
        return true;
    }
}
