using System.Net;
using System.Net.Sockets;
using System.Text;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>One end of a TCP connection, read and written as bytes; text is Latin-1, which is bytes.</summary>
internal sealed class Wire(Socket socket) : IDisposable
{
    private readonly List<byte> _read = [];

    public static async Task<Wire> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return new Wire(socket);
    }

    public async Task WriteAsync(string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Reads up to and including the end of a message head; <see langword="null"/> when the connection ends before its first byte.</summary>
    public async Task<string?> ReadHeadAsync()
    {
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. _read]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                _read.RemoveRange(0, end + 4);
                return text[..(end + 4)];
            }

            if (await FillAsync()) continue;
            Assert.Empty(_read);
            return null;
        }
    }

    public async Task<string> ReadAsync(int count)
    {
        while (_read.Count < count) Assert.True(await FillAsync(), "The connection ended too early.");
        var text = Encoding.Latin1.GetString([.. _read[..count]]);
        _read.RemoveRange(0, count);
        return text;
    }

    /// <summary>Reads to the end of the connection, however it ends.</summary>
    public async Task<string> ReadToEndAsync()
    {
        try
        {
            while (await FillAsync())
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // A reset ends the connection as well.
        }

        return Encoding.Latin1.GetString([.. _read]);
    }

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private async Task<bool> FillAsync()
    {
        var buffer = new byte[16 * 1024];
        var count = await socket.ReceiveAsync(buffer);
        _read.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}
