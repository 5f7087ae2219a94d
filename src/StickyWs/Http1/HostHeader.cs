using System.Buffers;
using System.Net;

namespace StickyWs.Http1;

/// <summary>
/// The value of <c>Host</c>: a name or an address, and a port (RFC 9110 section 7.2). What Kestrel might read otherwise is not valid.
/// </summary>
internal static class HostHeader
{
    private static readonly SearchValues<byte> HostBytes = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._"u8);
    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    // "::1", to Kestrel: it refuses "[::]".
    private const int ShortestAddress = 3;

    public static bool IsValid(ReadOnlySpan<byte> host)
    {
        var colon = host.LastIndexOf((byte)':');
        if (colon > host.LastIndexOf((byte)']'))
        {
            var port = host[(colon + 1)..];
            if (port.Length is 0 or > 5 || port.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;
            host = host[..colon];
        }

        return host is [(byte)'[', .. var address, (byte)']'] ? IsAddress(address) : !host.IsEmpty && !host.ContainsAnyExcept(HostBytes);
    }

    private static bool IsAddress(ReadOnlySpan<byte> address)
        => address.Length >= ShortestAddress
            && address.Contains((byte)':')
            && !address.ContainsAnyExcept(AddressBytes)
            && IPAddress.IsValidUtf8(address);
}
