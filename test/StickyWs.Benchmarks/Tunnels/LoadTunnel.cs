using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Detection;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>One WebSocket of the load, on a bare socket.</summary>
internal sealed class LoadTunnel : IDisposable
{
    private static readonly byte[] Message = WebSocketFrame.FromClient();

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _echo = WebSocketFrame.FromServer();

    private LoadTunnel()
    {
    }

    public static LoadTunnel Open(int port)
    {
        var tunnel = new LoadTunnel();
        tunnel._socket.Connect(IPAddress.Loopback, port);
        tunnel.ShakeHands(port);
        tunnel.Send();
        tunnel.Receive();
        return tunnel;
    }

    public void Send() => _socket.Send(Message);

    /// <summary>Waits for the whole answer to one message.</summary>
    public void Receive()
    {
        for (var read = 0; read < _echo.Length;)
        {
            var count = _socket.Receive(_echo.AsSpan(read));
            if (count == 0) throw new IOException("The balancer closed a tunnel.");
            read += count;
        }
    }

    public void Dispose() => _socket.Dispose();

    private void ShakeHands(int port)
    {
        _socket.Send(Encoding.ASCII.GetBytes(
            $"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {WebSocketKey.Create()}\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        var answer = new List<byte>();
        var next = new byte[1];
        while (!answer.ToArray().AsSpan().EndsWith("\r\n\r\n"u8))
        {
            if (_socket.Receive(next) == 0) throw new IOException("The balancer closed the connection during the handshake.");
            answer.Add(next[0]);
        }

        var head = Encoding.ASCII.GetString([.. answer]);
        if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) throw new IOException($"The balancer answered: {head}");
    }
}
