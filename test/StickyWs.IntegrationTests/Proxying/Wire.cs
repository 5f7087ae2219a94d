using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>One end of a TCP connection, or of TLS over it, read and written as bytes; text is Latin-1, which is bytes.</summary>
internal sealed class Wire(Socket socket, Stream stream) : IDisposable
{
    private readonly List<byte> _read = [];

    public Wire(Socket socket)
        : this(socket, new NetworkStream(socket))
    {
    }

    /// <summary>Connects, with TLS for an https address.</summary>
    public static async Task<Wire> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        if (address.Scheme != Uri.UriSchemeHttps) return new Wire(socket);
        var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return new Wire(socket, tls);
    }

    /// <exception cref="SocketException">The connection broke, or is closed.</exception>
    /// <exception cref="ObjectDisposedException">This end was disposed meanwhile.</exception>
    public async Task WriteAsync(string text)
    {
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        }
        catch (IOException e) when (e.InnerException is SocketException or ObjectDisposedException)
        {
            throw e.InnerException;
        }
    }

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

    /// <summary>Its own port.</summary>
    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    /// <summary>What has arrived, and was not read.</summary>
    public int Available => socket.Available;

    /// <summary>Reads so many bytes, and drops them.</summary>
    public async Task SkipAsync(int count)
    {
        var kept = Math.Min(count, _read.Count);
        _read.RemoveRange(0, kept);
        count -= kept;
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, count)));
            Assert.NotEqual(0, read);
            count -= read;
        }
    }

    /// <summary>Reads a body in chunks, without trailers.</summary>
    public async Task<string> ReadChunkedAsync()
    {
        var body = new StringBuilder();
        while (true)
        {
            var line = "";
            while (!line.EndsWith("\r\n", StringComparison.Ordinal)) line += await ReadAsync(1);
            var size = int.Parse(line, NumberStyles.HexNumber | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
            body.Append(await ReadAsync(size));
            Assert.Equal("\r\n", await ReadAsync(2));
            if (size == 0) return body.ToString();
        }
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
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            // A reset ends the connection as well.
        }

        return Encoding.Latin1.GetString([.. _read]);
    }

    /// <summary>Sends a FIN, without a word of TLS.</summary>
    public void Finish() => socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    private async Task<bool> FillAsync()
    {
        var buffer = new byte[16 * 1024];
        var count = await stream.ReadAsync(buffer);
        _read.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}
