using System.Collections;
using System.Globalization;
using System.Net;
using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>
/// One line: fields with fixed names, and a text that reads like a line of HAProxy's log. Made where the work ended, rendered by <see cref="AccessLog"/>
/// elsewhere.
/// </summary>
internal sealed class AccessLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>The text, as the template that sinks of structured logs know a line by.</summary>
    public const string Template =
        "{Client} {Listener} {ForwardedClient} {Pool}/{Backend} {UpstreamLocal} {UpstreamRemote} {Lane}/{TlsVersion} {ChosenBy}/{Pin} "
        + "{HandshakeSeconds}/{Seconds} {Status} {BytesToBackend}/{BytesToClient} {Outcome}/{EndReason}/{Farewell} "
        + "{ClientCloseCode}/{BackendCloseCode}/{OwnCloseCode} {TraceId} {ConnectionId} \"{Method} {Host} {Path}\"";

    private const string None = "-";

    /// <summary>The names of the fields, in the order of the text.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "Client", "Listener", "ForwardedClient", "Pool", "Backend", "UpstreamLocal", "UpstreamRemote", "Lane", "TlsVersion", "ChosenBy", "Pin",
        "HandshakeSeconds", "Seconds", "Status", "BytesToBackend", "BytesToClient", "Outcome", "EndReason", "Farewell", "ClientCloseCode",
        "BackendCloseCode", "OwnCloseCode", "TraceId", "ConnectionId", "Method", "Host", "Path",
    ];

    public required AccessEvent Event { get; init; }

    /// <summary>The client's connection: its peer, and the address that it came to.</summary>
    public ConnectionTuple? Client { get; init; }

    /// <summary>The connection to the backend: our address, and the backend's.</summary>
    public ConnectionTuple? Upstream { get; init; }

    /// <summary>The client behind trusted proxies, if it is not the peer.</summary>
    public IPAddress? ForwardedClient { get; init; }

    public required string Pool { get; init; }

    public string? Backend { get; init; }

    public required string Lane { get; init; }

    public string? TlsVersion { get; init; }

    public string? ChosenBy { get; init; }

    public string? Pin { get; init; }

    public TimeSpan? Handshake { get; init; }

    public TimeSpan? Duration { get; set; }

    /// <summary>The status that the client got; 0 for none.</summary>
    public int Status { get; set; }

    public long? BytesToBackend { get; init; }

    public long? BytesToClient { get; set; }

    public string? Outcome { get; init; }

    public string? EndReason { get; init; }

    public string? Farewell { get; init; }

    /// <summary>0 for none.</summary>
    public int ClientCloseCode { get; init; }

    /// <inheritdoc cref="ClientCloseCode"/>
    public int BackendCloseCode { get; init; }

    /// <inheritdoc cref="ClientCloseCode"/>
    public int OwnCloseCode { get; init; }

    /// <summary>0 for none.</summary>
    public UInt128 TraceId { get; init; }

    public required string ConnectionId { get; init; }

    public string? Method { get; init; }

    /// <summary>May be anything.</summary>
    public string? Host { get; init; }

    /// <inheritdoc cref="Host"/>
    public string? Path { get; init; }

    /// <summary>When its work ended. Written by <see cref="RecentLines"/>.</summary>
    public DateTimeOffset EndedAt { get; set; }

    /// <summary>Whether it is logged; if not, it only ends the tunnel's trace. <see cref="AccessLog"/> may have no room for it.</summary>
    public bool IsLogged { get; set; } = true;

    /// <summary>Whether it ends the tunnel's trace. Written by <see cref="AccessLog"/>.</summary>
    public bool IsTraced { get; set; }

    /// <summary>The trace that hears of the end.</summary>
    public TracedTunnel? Traced { get; init; }

    public int Count => Names.Count + 1;

    public KeyValuePair<string, object?> this[int index]
        => index == Names.Count ? new("{OriginalFormat}", Template) : new(Names[index], ValueOf(index));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, stackalloc char[512],
        $"{Word(0)} {Word(1)} {Word(2)} {Word(3)}/{Word(4)} {Word(5)} {Word(6)} {Word(7)}/{Word(8)} {Word(9)}/{Word(10)} "
        + $"{Time(Handshake, "F6")}/{Time(Duration, "F3")} {Number(Some(Status))} {Number(BytesToBackend)}/{Number(BytesToClient)} "
        + $"{Word(16)}/{Word(17)}/{Word(18)} {Number(Some(ClientCloseCode))}/{Number(Some(BackendCloseCode))}/{Number(Some(OwnCloseCode))} "
        + $"{Word(22)} {Word(23)} \"{Word(24)} {Word(25)} {Word(26)}\"");

    private object? ValueOf(int index) => index switch
    {
        0 => Client?.Source.ToString(),
        1 => Client?.Destination.ToString(),
        2 => ForwardedClient?.ToString(),
        3 => AccessText.Of(Pool),
        4 => Safe(Backend),
        5 => Upstream?.Source.ToString(),
        6 => Upstream?.Destination.ToString(),
        7 => Lane,
        8 => TlsVersion,
        9 => ChosenBy,
        10 => Pin,
        11 => Handshake?.TotalSeconds,
        12 => Duration?.TotalSeconds,
        13 => Some(Status),
        14 => BytesToBackend,
        15 => BytesToClient,
        16 => Outcome,
        17 => EndReason,
        18 => Farewell,
        19 => Some(ClientCloseCode),
        20 => Some(BackendCloseCode),
        21 => Some(OwnCloseCode),
        22 => TraceId == default ? null : TraceId.ToString("x32", CultureInfo.InvariantCulture),
        23 => AccessText.Of(ConnectionId),
        24 => Safe(Method),
        25 => Safe(Host),
        26 => Safe(Path),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    private string Word(int index) => (string?)ValueOf(index) is { Length: > 0 } word ? word : None;

    private static string? Safe(string? text) => text is null ? null : AccessText.Of(text);

    private static int? Some(int number) => number == 0 ? null : number;

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? None;

    private static string Time(TimeSpan? time, string format) => time is { } known ? known.TotalSeconds.ToString(format, CultureInfo.InvariantCulture) : None;
}
