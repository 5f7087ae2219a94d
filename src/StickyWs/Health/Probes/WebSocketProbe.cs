using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Http1;

namespace StickyWs.Health;

/// <summary>
/// A probe with a complete WebSocket handshake (RFC 6455 section 4.1) and a ping answered by a pong, both implemented here: a backend whose proxy or
/// cache sends the 101 in its place would pass a mere status check, and fails this one.
/// </summary>
internal sealed class WebSocketProbe(WebSocketProbeOptions options, TlsOptions tls) : IProbe
{
    private const int PingBytes = 8;

    public async ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken)
    {
        var stream = await StreamDialer.OpenAsync(backend, tls, [SslApplicationProtocol.Http11], cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        var input = new ProbeInput(stream);
        var key = WebSocketKey.Create();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(Handshake(backend.Address, key)), cancellationToken).ConfigureAwait(false);
        Check(await ReadHeadAsync(input, cancellationToken).ConfigureAwait(false), Encoding.ASCII.GetBytes(key));
        var payload = RandomNumberGenerator.GetBytes(PingBytes);
        await stream.WriteAsync(ProbeFrame.Ping(payload), cancellationToken).ConfigureAwait(false);
        await new PongReader(input).ReadAsync(payload, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(ProbeFrame.NormalClose(), cancellationToken).ConfigureAwait(false);
    }

    private string Handshake(Uri address, string key)
    {
        var head = new StringBuilder()
            .Append("GET ").Append(options.Path).Append(" HTTP/1.1\r\nHost: ").Append(options.Host ?? Authority(address))
            .Append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ").Append(key).Append("\r\n");
        if (options.Subprotocol is { } subprotocol) head.Append("Sec-WebSocket-Protocol: ").Append(subprotocol).Append("\r\n");
        foreach (var (name, value) in options.Headers) head.Append(name).Append(": ").Append(value).Append("\r\n");
        return head.Append("\r\n").ToString();
    }

    private static string Authority(Uri address)
    {
        var host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost;
        return address.IsDefaultPort ? host : $"{host}:{address.Port}";
    }

    private static async ValueTask<ResponseHead> ReadHeadAsync(ProbeInput input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var length = ResponseHead.TryParse(input.Unread.Span, out var head);
            if (length < 0) throw new ProbeFailedException("the handshake's answer is not HTTP/1.1");
            if (head is not null)
            {
                input.Consume(length);
                return head;
            }

            if (input.IsFull) throw new ProbeFailedException($"the handshake's answer has a head of more than {ProbeInput.Capacity} bytes");
            await input.ReadMoreAsync("the handshake was answered", cancellationToken).ConfigureAwait(false);
        }
    }

    private void Check(ResponseHead head, byte[] key)
    {
        if (head.Status != 101) throw new ProbeFailedException($"status {head.Status}, expected 101");
        if (head.Single(HeaderNames.Accept) is not { } accept) throw new ProbeFailedException("the 101 lacks its one Sec-WebSocket-Accept");
        if (!WebSocketKey.IsAnsweredBy(key, Encoding.Latin1.GetBytes(accept))) throw new ProbeFailedException("wrong Sec-WebSocket-Accept");
        if (!head.Opens(key)) throw new ProbeFailedException("the 101 is not one of a WebSocket: Upgrade or Connection is wrong");
        if (Holds(head, "Sec-WebSocket-Extensions"u8)) throw new ProbeFailedException("the backend chose an extension that was not offered");
        if (options.Subprotocol is null && Holds(head, "Sec-WebSocket-Protocol"u8))
            throw new ProbeFailedException("the backend chose a subprotocol, but none was offered");
        if (options.Subprotocol is not null && head.Single("Sec-WebSocket-Protocol"u8) != options.Subprotocol)
            throw new ProbeFailedException($"the backend did not choose the subprotocol {options.Subprotocol}");
    }

    private static bool Holds(ResponseHead head, ReadOnlySpan<byte> name)
    {
        var headers = head.ReadHeaders();
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, name)) return true;
        }

        return false;
    }
}

/// <summary>The two frames that a probe sends, masked as a client must (RFC 6455 section 5.3).</summary>
file static class ProbeFrame
{
    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const int MaskBytes = 4;

    public static byte[] Ping(ReadOnlySpan<byte> payload) => Control(0x9, payload);

    /// <summary>Close with status 1000 (RFC 6455 section 7.4.1).</summary>
    public static byte[] NormalClose() => Control(0x8, [1000 >> 8, 1000 & 0xff]);

    private static byte[] Control(byte opcode, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[2 + MaskBytes + payload.Length];
        frame[0] = (byte)(Final | opcode);
        frame[1] = (byte)(Masked | payload.Length);
        var mask = frame.AsSpan(2, MaskBytes);
        RandomNumberGenerator.Fill(mask);
        for (var i = 0; i < payload.Length; i++) frame[2 + MaskBytes + i] = (byte)(payload[i] ^ mask[i % MaskBytes]);
        return frame;
    }
}
