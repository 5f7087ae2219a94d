using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Affinity;

/// <summary>
/// Hashes the network of the client's address. Behind trusted proxies that is the address nearest to us in <c>X-Forwarded-For</c> that is no trusted proxy; whatever else a client writes there is nobody's word.
/// </summary>
internal sealed class ClientAddressRule(string pool, BackendRegistry registry, int bitsOfIPv4, int bitsOfIPv6) : HashRule(pool, "address", $"{bitsOfIPv4} {bitsOfIPv6}")
{
    private const string ForwardedFor = "X-Forwarded-For";

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length)
    {
        length = 0;
        if (Client(request) is not { } address) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (!address.TryWriteBytes(value, out length)) return false;
        Mask(value[..length], address.AddressFamily == AddressFamily.InterNetwork ? bitsOfIPv4 : bitsOfIPv6);
        return true;
    }

    private IPAddress? Client(in RequestView request)
    {
        var trusted = registry.Current.TrustedProxies;
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

    private static void Mask(Span<byte> address, int bits)
    {
        for (var i = 0; i < address.Length; i++)
        {
            var kept = Math.Clamp(bits - (i * 8), 0, 8);
            address[i] &= (byte)(0xFF << (8 - kept));
        }
    }
}
