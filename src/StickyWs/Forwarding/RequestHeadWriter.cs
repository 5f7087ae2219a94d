using System.Buffers;
using System.Net;
using System.Text;
using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Forwarding;

/// <summary>
/// Writes the head that goes to the backend: the client's own target and headers, byte for byte, without those that are for one hop only, and
/// with <c>X-Forwarded-For/-Proto/-Host</c> that say the truth. A client's own copies pass only when it is a trusted proxy, and what the application
/// has set in any case; of the balancer's own <c>StickyWs-</c> headers they never pass.
/// </summary>
internal static class RequestHeadWriter
{
    public static void Write(IBufferWriter<byte> output, RequestHead head, ClientInfo client, bool isTrusted, PinNotice notice = default)
    {
        output.Write(head.Method);
        output.Write(" "u8);
        output.Write(head.Target);
        output.Write(" HTTP/1.1\r\n"u8);
        var forwarded = default(ForwardedBefore);
        var headers = head.ReadHeaders();
        while (headers.Read())
        {
            if (ForwardedNames.IsOne(headers.Name))
            {
                // Whether the client named it in Connection does not matter: a trusted proxy's word is not the client's to take back.
                if ((isTrusted || (client.IsOfApplication && !ForwardedNames.IsWrittenAnew(headers.Name))) && !ForwardedNames.IsFake(headers.Name) && !forwarded.Note(headers.Name, headers.Value)) WriteHeader(output, headers.Name, headers.Value);
            }
            else if (!head.IsHopByHop(headers.Name) && !OwnHeaders.IsOne(headers.Name))
            {
                WriteHeader(output, headers.Name, headers.Value);
            }
        }

        output.Write("Connection: Upgrade\r\n"u8);
        WriteHeader(output, HeaderNames.Upgrade, head.Upgrades is { } protocols ? protocols.Span : "websocket"u8);
        forwarded.Write(output, head, client);
        if (notice.Pin is { } pin) WriteHeader(output, Encoding.ASCII.GetBytes(PinNotice.PinHeader), Encoding.ASCII.GetBytes(pin));
        if (notice.MovedFrom is { } before) WriteHeader(output, Encoding.ASCII.GetBytes(PinNotice.MovedFromHeader), Encoding.ASCII.GetBytes(before));
        output.Write("\r\n"u8);
    }

    public static void WriteHeader(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        output.Write(name);
        output.Write(": "u8);
        output.Write(value);
        output.Write("\r\n"u8);
    }

    // What a trusted proxy said; empty for everybody else.
    private ref struct ForwardedBefore
    {
        private List<byte[]>? _for;
        private ReadOnlySpan<byte> _proto;
        private ReadOnlySpan<byte> _host;

        /// <summary>Keeps the three that are written anew; <see langword="false"/> for any other.</summary>
        public bool Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (HeaderNames.Is(name, "X-Forwarded-For"u8)) (_for ??= []).Add(value.ToArray());
            else if (HeaderNames.Is(name, "X-Forwarded-Proto"u8)) _proto = value;
            else if (HeaderNames.Is(name, "X-Forwarded-Host"u8)) _host = value;
            else return false;
            return true;
        }

        public readonly void Write(IBufferWriter<byte> output, RequestHead head, ClientInfo client)
        {
            WriteFor(output, client.Address);
            WriteHeader(output, "X-Forwarded-Proto"u8, _proto.IsEmpty ? Encoding.ASCII.GetBytes(client.Scheme) : _proto);
            WriteHeader(output, "X-Forwarded-Host"u8, _host.IsEmpty ? Encoding.ASCII.GetBytes(head.Host) : _host);
        }

        private readonly void WriteFor(IBufferWriter<byte> output, IPAddress? address)
        {
            if (_for is null && address is null) return;
            output.Write("X-Forwarded-For: "u8);
            var separator = ReadOnlySpan<byte>.Empty;
            foreach (var value in _for ?? [])
            {
                output.Write(separator);
                output.Write(value);
                separator = ", "u8;
            }

            if (address is not null)
            {
                output.Write(separator);
                output.Write(Encoding.ASCII.GetBytes(PeerAddress.Text(address)));
            }

            output.Write("\r\n"u8);
        }
    }
}
