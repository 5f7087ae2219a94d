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

    public static async Task<LoadTunnel> OpenAsync(int port)
    {
        var tunnel = new LoadTunnel();
        await tunnel._socket.ConnectAsync(IPAddress.Loopback, port);
        await tunnel.ShakeHandsAsync(port);
        await tunnel.EchoOnceAsync();
        return tunnel;
    }

    /// <summary>Sends a message whenever the one before has come back; returns how many did.</summary>
    public async Task<long> EchoAsync(CancellationToken stop)
    {
        var count = 0L;
        for (; !stop.IsCancellationRequested; count++) await EchoOnceAsync();
        return count;
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask EchoOnceAsync()
    {
        await _socket.SendAsync(Message);
        for (var read = 0; read < _echo.Length;)
        {
            var count = await _socket.ReceiveAsync(_echo.AsMemory(read));
            if (count == 0) throw new IOException("The balancer closed a tunnel.");
            read += count;
        }
    }

    private async Task ShakeHandsAsync(int port)
    {
        await _socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /chat HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {WebSocketKey.Create()}\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        var answer = new List<byte>();
        var next = new byte[1];
        while (!answer.ToArray().AsSpan().EndsWith("\r\n\r\n"u8))
        {
            if (await _socket.ReceiveAsync(next) == 0) throw new IOException("The balancer closed the connection during the handshake.");
            answer.Add(next[0]);
        }

        var head = Encoding.ASCII.GetString([.. answer]);
        if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) throw new IOException($"The balancer answered: {head}");
    }
}
