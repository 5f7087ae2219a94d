using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using StickyWs.Dialing;

namespace StickyWs.TestKit;

/// <summary>A client on a raw socket: every byte is the test's own.</summary>
public sealed class RawClient(Socket socket, Stream stream) : Wire(socket, stream)
{
    private static SslClientAuthenticationOptions Trusting { get; } =
        new() { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, _, _, _) => true };

    /// <summary>Connects, with TLS for an https address.</summary>
    public static async Task<RawClient> ConnectAsync(Uri address, Action<Socket>? configure = null)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        configure?.Invoke(socket);
        await socket.ConnectAsync(address.Host, address.Port, Wait.Token());
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (address.Scheme == Uri.UriSchemeHttps)
            stream = await DuplexTlsStream.OpenAsync(stream, tls => tls.AuthenticateAsClientAsync(Trusting, Wait.Token()));
        return new RawClient(socket, stream);
    }

    /// <summary>Sends a head and reads the head of the answer.</summary>
    public async Task<string> AskAsync(string head)
    {
        await WriteAsync(head);
        return await ReadHeadAsync();
    }

    /// <summary>Reads the body of an answer whose head was read: by its length, by its chunks, or to the end of the connection.</summary>
    public async Task<string> ReadBodyAsync(string head)
    {
        if (HttpHead.Value(head, "Content-Length") is { } length) return await ReadTextAsync(int.Parse(length, CultureInfo.InvariantCulture));
        if (HttpHead.Value(head, "Transfer-Encoding") is null) return await ReadTextToEndAsync();
        var body = new StringBuilder();
        while (true)
        {
            var size = int.Parse(await ReadLineAsync(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await ReadTextAsync(size));
            await ReadLineAsync();
            if (size == 0) return body.ToString();
        }
    }

    private async Task<string> ReadLineAsync()
    {
        var line = "";
        while (!line.EndsWith("\r\n", StringComparison.Ordinal)) line += await ReadTextAsync(1);
        return line[..^2];
    }
}
