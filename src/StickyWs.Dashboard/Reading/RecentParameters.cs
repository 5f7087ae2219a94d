using System.Net;
using StickyWs.Observability;
using StickyWs.State;

namespace StickyWs.Dashboard.Reading;

/// <summary>Which of the recent ends, or refusals, a request asks for.</summary>
internal sealed class RecentParameters
{
    private const int MostShown = 1000;
    private const int Shown = 100;

    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private static readonly (string Word, string Kind)[] Kinds = [("handshake", "handshake"), ("request", "request")];

    private readonly Parameters _query;
    private readonly IPNetwork? _client;
    private readonly int? _clientPort;
    private readonly IPEndPoint? _upstream;
    private readonly TimeSpan _minAge;
    private readonly int _status;
    private readonly EndReason? _reason;
    private readonly string? _kind;

    private readonly string? _lane;

    /// <param name="query">The query.</param>
    /// <param name="lanes">The lanes that there are: <see cref="LanesOfEnds"/> or <see cref="LanesOfRefusals"/>.</param>
    public RecentParameters(Parameters query, string[] lanes)
    {
        _lane = query.Choice<string?>("lane", null, [.. lanes.Select(lane => (lane, lane))]);
        _query = query;
        (_client, _clientPort) = Addresses.NetworkOf(query, "client");
        _upstream = Addresses.EndOf(query, "upstream");
        _minAge = query.Duration("minAge", Longest) ?? TimeSpan.Zero;
        _status = query.Number("status", 0, 100, 599);
        _reason = query.Choice("reason", null, [.. Enum.GetValues<EndReason>().Select(reason => (reason.ToString(), (EndReason?)reason))]);
        _kind = query.Choice<string?>("kind", null, Kinds!);
        Limit = query.Number("limit", Shown, 1, MostShown);
    }

    /// <summary>The parameters of <c>ends</c>.</summary>
    public static string[] OfEnds { get; } = ["id", "pool", "backend", "client", "upstream", "lane", "host", "path", "reason", "minAge", "limit"];

    /// <summary>The parameters of <c>refusals</c>.</summary>
    public static string[] OfRefusals { get; } = ["id", "pool", "backend", "client", "lane", "host", "path", "kind", "status", "cause", "limit"];

    /// <summary>The lanes of tunnels. What was their reactor is not kept.</summary>
    public static string[] LanesOfEnds { get; } = ["raw", "portable"];

    /// <summary>The lanes of handshakes, and that of plain requests.</summary>
    public static string[] LanesOfRefusals { get; } = [.. LanesOfEnds, "http"];

    public int Limit { get; }

    public bool Fits(EndedTunnel end)
        => Is("id", end.Id) && Is("pool", end.Pool) && Is("backend", end.Backend) && IsLane(end.Lane) && Is("host", end.Host) && Begins("path", end.Path)
            && !(_reason is { } reason && reason != end.Reason) && end.Age >= _minAge && IsClient(end.Client, end.ForwardedClient)
            && (_upstream is null || (end.Upstream is { } upstream && (IsEnd(upstream.Source, _upstream) || IsEnd(upstream.Destination, _upstream))));

    public bool Fits(RefusedRequest refused)
        => Is("id", refused.Id) && Is("pool", refused.Pool) && Is("backend", refused.Backend) && IsLane(refused.Lane) && Is("host", refused.Host)
            && Begins("path", refused.Path) && Is("cause", refused.Cause) && (_kind is null || _kind == "handshake" == refused.IsHandshake)
            && (_status == 0 || _status == refused.Status) && IsClient(refused.Client, refused.ForwardedClient);

    private bool Is(string name, string? value) => _query.Text(name) is not { } wanted || wanted.Equals(value, StringComparison.OrdinalIgnoreCase);

    private bool IsLane(string lane) => _lane is null || _lane == lane;

    private bool Begins(string name, string? value) => _query.Text(name) is not { } wanted || value?.StartsWith(wanted, StringComparison.Ordinal) == true;

    private bool IsClient(TunnelTuple? client, IPAddress? forwarded)
    {
        if (_client is null && _clientPort is null) return true;
        if (client is null || (_clientPort is { } port && port != client.Source.Port)) return false;
        return _client is not { } network || network.Contains(Addresses.Plain(client.Source.Address))
            || (forwarded is not null && network.Contains(Addresses.Plain(forwarded)));
    }

    private static bool IsEnd(IPEndPoint end, IPEndPoint wanted)
        => end.Port == wanted.Port && Addresses.Plain(end.Address).Equals(Addresses.Plain(wanted.Address));
}
