using StickyWs.State;

namespace StickyWs.Dashboard.Reading;

/// <summary>Which tunnels a request asks for.</summary>
internal sealed class TunnelParameters
{
    private const int MostShown = 1000;
    private const int Shown = 100;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private static readonly (string Word, TunnelOrder Order)[] Orders =
    [
        ("oldest", TunnelOrder.Oldest), ("newest", TunnelOrder.Newest), ("idlest", TunnelOrder.Idlest), ("busiest", TunnelOrder.Busiest),
        ("fastest", TunnelOrder.Fastest), ("client", TunnelOrder.Client), ("backend", TunnelOrder.Backend), ("lane", TunnelOrder.Lane),
        ("pin", TunnelOrder.Pin),
    ];

    private static readonly (string Word, string Lane)[] Lanes = [.. new[] { "raw", "portable", "io_uring", "epoll", "tls" }.Select(lane => (lane, lane))];

    private static readonly (string Word, TunnelTie? Tie)[] Ties = [("none", TunnelTie.None), ("pinned", TunnelTie.Pinned), ("hashed", TunnelTie.Hashed)];

    public TunnelParameters(Parameters query)
    {
        var sample = query.Number("sample", 0, 1, MostShown);
        if (sample > 0 && Array.Find(OfPages, name => query.Text(name) is not null) is { } other) throw query.Bad(other, "leave it out where sample is");
        Filter = FilterOf(query, sample > 0 ? sample : query.Number("limit", Shown, 1, MostShown));
        Order = sample > 0 ? TunnelOrder.Sampled : query.Choice("sort", TunnelOrder.Oldest, Orders);
        IsReversed = query.Flag("reverse");
        After = query.Text("after");
    }

    /// <summary>The parameters of <c>tunnels</c>.</summary>
    public static string[] Known => [.. Filters, "sample", .. OfPages];

    /// <summary>Those that say which tunnels fit.</summary>
    public static string[] Filters { get; } =
    [
        "id", "pool", "backend", "client", "local", "upstream", "lane", "pin", "tie", "host", "path", "minAge", "maxAge", "minIdle", "maxIdle", "minRate",
    ];

    private static string[] OfPages { get; } = ["sort", "reverse", "limit", "after"];

    public TunnelFilter Filter { get; }

    public TunnelOrder Order { get; }

    public bool IsReversed { get; }

    public string? After { get; }

    /// <summary>The orders that can be asked for.</summary>
    public static IEnumerable<string> Sorts => Orders.Select(order => order.Word);

    public static TunnelFilter FilterOf(Parameters query, int limit)
    {
        var (client, port) = Addresses.NetworkOf(query, "client");
        var (local, localPort) = Addresses.NetworkOf(query, "local");
        return new TunnelFilter
        {
            Id = query.Text("id"),
            Pool = query.Text("pool"),
            Backend = query.Text("backend"),
            Client = client,
            ClientPort = port,
            Local = local,
            LocalPort = localPort,
            Upstream = Addresses.EndOf(query, "upstream"),
            Lane = query.Choice<string?>("lane", null, Lanes!),
            Pin = PinOf(query),
            Tie = query.Choice("tie", null, Ties),
            Host = query.Text("host"),
            PathPrefix = query.Text("path"),
            MinAge = query.Duration("minAge", Longest) ?? TimeSpan.Zero,
            MaxAge = query.Duration("maxAge", Longest),
            MinIdle = query.Duration("minIdle", Longest) ?? TimeSpan.Zero,
            MaxIdle = query.Duration("maxIdle", Longest),
            MinRate = query.Number("minRate", 0, 0, int.MaxValue),
            Limit = limit,
        };
    }

    private static string? PinOf(Parameters query)
    {
        if (query.Text("pin") is not { } pin) return null;
        return pin.Length is >= 4 and <= 32 && pin.All(char.IsAsciiHexDigit) ? pin
            : throw query.Bad("pin", "use the first digits of a pin, 4 to 32 hexadecimal ones");
    }
}
