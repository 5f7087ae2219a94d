using System.Buffers;
using System.Text;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Forwarding;

/// <summary>
/// Writes the head that goes to the backend: the client's own target and headers, byte for byte, without hop-by-hop headers, and with truthful
/// <c>X-Forwarded-For/-Proto/-Host</c>. A client's own copies of these pass only from a trusted proxy, and those that the application has set always;
/// the balancer's own <c>StickyWs-</c> headers never pass.
/// </summary>
internal static class RequestHeadWriter
{
    /// <param name="output">Where to.</param>
    /// <param name="head">The client's head.</param>
    /// <param name="client">The client.</param>
    /// <param name="isTrusted">Whether it is a trusted proxy.</param>
    /// <param name="notice">What the backend is told about the client.</param>
    /// <param name="trace">The headers of the span of this hop, which replace the client's; by default the client's pass.</param>
    public static void Write(
        IBufferWriter<byte> output, RequestHead head, ClientInfo client, bool isTrusted, PinNotice notice = default,
        IReadOnlyList<KeyValuePair<string, string>>? trace = null)
    {
        output.Write(head.Method);
        output.Write(" "u8);
        output.Write(head.Target);
        output.Write(" HTTP/1.1\r\n"u8);
        var word = default(ForwardedWord);
        var headers = head.ReadHeaders();
        while (headers.Read())
        {
            if (IsDropped(head, client, isTrusted, headers.Name) || (trace is not null && Tracer.IsReplaced(headers.Name, trace))) continue;
            if (ForwardedNames.IsWrittenAnew(headers.Name)) word.Note(headers.Name, Encoding.Latin1.GetString(headers.Value));
            else WriteHeader(output, headers.Name, headers.Value);
        }

        output.Write("Connection: Upgrade\r\n"u8);
        WriteHeader(output, HeaderNames.Upgrade, head.Upgrades is { } protocols ? protocols.Span : "websocket"u8);
        word.AddTo(output, client.Address is null ? null : PeerAddress.Text(client.Address), client.Scheme, head.Host, Write);
        notice.SetOn(output, Write);
        for (var i = 0; i < trace?.Count; i++) Write(output, trace[i].Key, trace[i].Value);
        output.Write("\r\n"u8);
    }

    public static void WriteHeader(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        output.Write(name);
        output.Write(": "u8);
        output.Write(value);
        output.Write("\r\n"u8);
    }

    private static bool IsDropped(RequestHead head, ClientInfo client, bool isTrusted, ReadOnlySpan<byte> name)
        => ForwardedNames.IsOne(name)
            ? !ForwardedNames.Passes(name, isTrusted, client.IsOfApplication)
            : head.IsHopByHop(name) || OwnHeaders.IsOne(name);

    private static void Write(IBufferWriter<byte> output, string name, string? value)
    {
        if (value is null) return;
        Encoding.Latin1.GetBytes(name, output);
        output.Write(": "u8);
        Encoding.Latin1.GetBytes(value, output);
        output.Write("\r\n"u8);
    }
}
