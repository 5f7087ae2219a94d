using System.Globalization;
using System.Net;

namespace StickyWs.Dashboard.Reading;

/// <summary>Addresses as parameters have them.</summary>
internal static class Addresses
{
    /// <summary>An address, an address and port, or a network; <c>:443</c> is a port alone.</summary>
    public static (IPNetwork? Network, int? Port) NetworkOf(Parameters query, string name)
    {
        if (query.Text(name) is not { } text) return default;
        if (text.Contains('/', StringComparison.Ordinal))
        {
            if (IPNetwork.TryParse(text, out var network)) return (network, null);
            throw query.Bad(name, "use a network like 10.0.0.0/8");
        }

        if (text.StartsWith(':') && ushort.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var alone)) return (null, alone);
        if (!IPEndPoint.TryParse(text, out var end)) throw query.Bad(name, "use an address, an address and port, or a network");
        var address = Plain(end.Address);
        return (new IPNetwork(address, address.GetAddressBytes().Length * 8), end.Port == 0 ? null : end.Port);
    }

    /// <summary>An address and port.</summary>
    public static IPEndPoint? EndOf(Parameters query, string name)
    {
        if (query.Text(name) is not { } text) return null;
        return IPEndPoint.TryParse(text, out var end) && end.Port != 0 ? end : throw query.Bad(name, "use an address and port, like 10.0.0.5:41234");
    }

    /// <summary>An IPv4 address as such, also where it came as IPv6.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
