using System.Net;
using System.Net.Sockets;

namespace StickyWs.Configuration;

/// <summary>A list of IP networks. An IPv4-mapped IPv6 address matches as its IPv4 address.</summary>
internal sealed class Networks
{
    private const int MappedBits = 96;

    private readonly IPNetwork[] _networks;

    public Networks(IEnumerable<string> texts)
        => _networks = [.. texts.Select(text => TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network."))];

    public bool Contains(IPAddress? address)
    {
        if (address is null || _networks.Length == 0) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in _networks)
        {
            if (network.Contains(plain)) return true;
        }

        return false;
    }

    public static bool TryParse(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var head = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(head, out var address) || IsShorthand(address, head)) return false;
        if (slash < 0) network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        else if (!IPNetwork.TryParse(text, out network)) return false;
        if (address.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedBits)
            network = new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits);
        return true;
    }

    // The parser would read "10.0/16" as the network of 10.0.0.0 by luck, and "10/8" as that of 0.0.0.10.
    private static bool IsShorthand(IPAddress address, string text)
        => address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != text;
}
