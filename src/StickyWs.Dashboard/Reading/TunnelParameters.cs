using System.Net;
using StickyWs.State;

namespace StickyWs.Dashboard.Reading;

/// <summary>Which tunnels a request asks for.</summary>
internal sealed class TunnelParameters
{
    private const int MostShown = 1000;
    private const int Shown = 100;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    public TunnelParameters(Parameters query)
    {
        var (client, port) = ClientOf(query);
        Filter = new TunnelFilter
        {
            Pool = query.Text("pool"),
            Backend = query.Text("backend"),
            Client = client,
            ClientPort = port,
            Upstream = UpstreamOf(query),
            MinAge = query.Duration("minAge", Longest) ?? TimeSpan.Zero,
            MinIdle = query.Duration("minIdle", Longest) ?? TimeSpan.Zero,
            Limit = query.Number("limit", Shown, 1, MostShown),
        };
        Order = query.Choice("sort", TunnelOrder.Oldest, ("oldest", TunnelOrder.Oldest), ("newest", TunnelOrder.Newest), ("idlest", TunnelOrder.Idlest),
            ("busiest", TunnelOrder.Busiest));
        After = query.Text("after");
    }

    public static string[] Known { get; } = ["pool", "backend", "client", "upstream", "minAge", "minIdle", "sort", "limit", "after"];

    public TunnelFilter Filter { get; }

    public TunnelOrder Order { get; }

    public string? After { get; }

    private static (IPNetwork?, int?) ClientOf(Parameters query)
    {
        if (query.Text("client") is not { } text) return default;
        if (text.Contains('/', StringComparison.Ordinal))
        {
            if (IPNetwork.TryParse(text, out var network)) return (network, null);
            throw query.Bad("client", "use a network like 10.0.0.0/8");
        }

        if (!IPEndPoint.TryParse(text, out var end)) throw query.Bad("client", "use an address, an address and port, or a network");
        var address = end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4() : end.Address;
        return (new IPNetwork(address, address.GetAddressBytes().Length * 8), end.Port == 0 ? null : end.Port);
    }

    private static IPEndPoint? UpstreamOf(Parameters query)
    {
        if (query.Text("upstream") is not { } text) return null;
        return IPEndPoint.TryParse(text, out var end) && end.Port != 0 ? end : throw query.Bad("upstream", "use an address and port, like 10.0.0.5:41234");
    }
}
