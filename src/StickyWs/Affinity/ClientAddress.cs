using System.Net;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// The client's address. Behind trusted proxies that is the address in <c>X-Forwarded-For</c> that is nearest to us and no trusted proxy; anything
/// else that a client writes there is ignored.
/// </summary>
internal static class ClientAddress
{
    private const string ForwardedFor = "X-Forwarded-For";

    public static IPAddress? Of(in RequestView request, Networks trusted)
    {
        var client = request.Peer;

        // Proxies append to the existing line, or add a line of their own after it (RFC 9110 section 5.3: equivalent).
        Span<byte> line = stackalloc byte[PinKey.LongestValue];
        for (var i = 1; trusted.Contains(client) && request.TryHeader(ForwardedFor, line, out var length, ^i); i++)
        {
            if (!TryFollow(line[..length], trusted, ref client)) break;
        }

        return client;
    }

    // From the end of a line towards its start, up to the first address that is no trusted proxy.
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
