using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Backends;

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
        if (!trusted.Contains(client)) return client;
        Span<byte> line = stackalloc byte[PinKey.LongestValue];
        if (!request.TryList(ForwardedFor, line, out var length)) return client;
        ReadOnlySpan<byte> rest = line[..length];
        while (!rest.IsEmpty && trusted.Contains(client))
        {
            var comma = rest.LastIndexOf((byte)',');
            var entry = rest[(comma + 1)..].Trim(" \t"u8);
            if (!IPEndPoint.TryParse(Encoding.ASCII.GetString(entry), out var address)) break;
            client = address.Address;
            rest = comma < 0 ? default : rest[..comma];
        }

        return client;
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
