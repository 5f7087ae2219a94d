using System.Net.Sockets;
using StickyWs.Backends;

namespace StickyWs.Affinity;

/// <summary>Hashes the network of the client's address.</summary>
internal sealed class ClientAddressRule(string pool, BackendRegistry registry, int bitsOfIPv4, int bitsOfIPv6)
    : HashRule(pool, "address", $"{bitsOfIPv4} {bitsOfIPv6}")
{
    protected override bool TryRead(in RequestView request, Span<byte> value, out int length)
    {
        length = 0;
        if (ClientAddress.Of(request, registry.Current.TrustedProxies) is not { } address) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (!address.TryWriteBytes(value, out length)) return false;
        Mask(value[..length], address.AddressFamily == AddressFamily.InterNetwork ? bitsOfIPv4 : bitsOfIPv6);
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
