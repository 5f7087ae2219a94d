using System.Net;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// Who a request comes from. Behind trusted proxies that is the address nearest to us in <c>X-Forwarded-For</c> that is no trusted proxy; whatever
/// else a client writes there is nobody's word.
/// </summary>
internal static class ClientAddress
{
    private const string ForwardedFor = "X-Forwarded-For";

    public static IPAddress? Of(in RequestView request, Networks trusted)
    {
        var client = request.Peer;

        // Proxies append to the line that is there, or write one of their own below it (RFC 9110 section 5.3: the same).
        Span<byte> line = stackalloc byte[PinKey.LongestValue];
        for (var i = 1; trusted.Contains(client) && request.TryHeader(ForwardedFor, line, out var length, ^i); i++)
        {
            if (!TryFollow(line[..length], trusted, ref client)) break;
        }

        return client;
    }

    // From the end of a line towards its start, until somebody is met who is no trusted proxy.
    private static bool TryFollow(ReadOnlySpan<byte> line, Networks trusted, ref IPAddress? client)
    {
        while (!line.IsEmpty && trusted.Contains(client))
        {
            var comma = line.LastIndexOf((byte)',');
            if (!IPEndPoint.TryParse(Encoding.ASCII.GetString(line[(comma + 1)..].Trim(" \t"u8)), out var address)) return false;
            client = address.Address;
            line = comma < 0 ? default : line[..comma];
        }

        return true;
    }
}
