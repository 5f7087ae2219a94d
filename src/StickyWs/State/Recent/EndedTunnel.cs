using System.Net;
using StickyWs.Observability;

namespace StickyWs.State;

/// <summary>A tunnel that has ended. What was not recorded when it opened is <see langword="null"/>: see <see cref="TunnelStatus.Host"/>.</summary>
public sealed class EndedTunnel
{
    /// <summary>When it ended.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>As <see cref="TunnelStatus.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The name of its backend.</summary>
    public required string Backend { get; init; }

    /// <summary>Its lane: <c>raw</c> or <c>portable</c>.</summary>
    public required string Lane { get; init; }

    /// <summary>Why it ended.</summary>
    public required EndReason Reason { get; init; }

    /// <summary>As <see cref="TunnelEnded.Farewell"/>.</summary>
    public required string Farewell { get; init; }

    /// <summary>The status code of the client's Close frame; <see langword="null"/> if none was seen.</summary>
    public int? ClientCloseCode { get; init; }

    /// <summary>The same of the backend.</summary>
    public int? BackendCloseCode { get; init; }

    /// <summary>
    /// The status code of the balancer's own Close frame, if it told both sides to go; <see langword="null"/> if it did not, or if frames were not followed.
    /// </summary>
    public int? OwnCloseCode { get; init; }

    /// <summary>The client's connection.</summary>
    public TunnelTuple? Client { get; init; }

    /// <summary>The connection to the backend.</summary>
    public TunnelTuple? Upstream { get; init; }

    /// <summary>The client behind trusted proxies, if it is not the peer.</summary>
    public IPAddress? ForwardedClient { get; init; }

    /// <summary>How long it was open.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>How long its handshake took.</summary>
    public TimeSpan? Handshake { get; init; }

    /// <summary>Bytes relayed from the client to the backend.</summary>
    public required long BytesToBackend { get; init; }

    /// <summary>Bytes relayed from the backend to the client.</summary>
    public required long BytesToClient { get; init; }

    /// <summary>The method of its handshake.</summary>
    public string? Method { get; init; }

    /// <summary>Its host, escaped as in the log.</summary>
    public string? Host { get; init; }

    /// <summary>Its path without the query, escaped as in the log.</summary>
    public string? Path { get; init; }

    /// <summary>The version of the TLS that ended here.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>Why this backend was chosen, as in the log.</summary>
    public string? ChosenBy { get; init; }

    /// <summary>What became of the client's pin: <c>new</c>, <c>kept</c> or <c>moved</c>.</summary>
    public string? PinOutcome { get; init; }

    /// <summary>The id of its trace, 32 hexadecimal digits.</summary>
    public string? TraceId { get; init; }
}
