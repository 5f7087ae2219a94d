using System.Net;
using System.Net.Sockets;

namespace StickyWs.Configuration;

/// <summary>A list of IP networks; an IPv4 address is the same address when it comes mapped into IPv6.</summary>
internal sealed class Networks
{
    private readonly IPNetwork[] _networks;

    public Networks(IEnumerable<string> texts)
        => _networks = [.. texts.Select(text => TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network."))];

    public bool Contains(IPAddress? address)
    {
        if (address is null || _networks.Length == 0) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(_networks, network => network.Contains(plain));
    }

    public static bool TryParse(string text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network)) return true;
        if (!IPAddress.TryParse(text, out var address)) return false;
        network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        return true;
    }
}
