using System.Net;

namespace StickyWs.State;

/// <summary>A handshake that ended without a tunnel, or a plain request that the balancer answered itself.</summary>
public sealed class RefusedRequest
{
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The id of the client's connection, as in the log.</summary>
    public required string Id { get; init; }

    /// <summary>Whether it was a handshake; otherwise a plain request.</summary>
    public required bool IsHandshake { get; init; }

    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The backend that was asked last, if one was.</summary>
    public string? Backend { get; init; }

    /// <summary>Its lane: <c>raw</c>, <c>portable</c> or <c>http</c>.</summary>
    public required string Lane { get; init; }

    /// <summary>The status that the client got; <see langword="null"/> if it got none.</summary>
    public int? Status { get; init; }

    /// <summary>Why, in one word: the outcome of the handshake, or the error type of the request, as in the metrics.</summary>
    public required string Cause { get; init; }

    /// <summary>The client's connection.</summary>
    public TunnelTuple? Client { get; init; }

    /// <summary>The client behind trusted proxies, if it is not the peer.</summary>
    public IPAddress? ForwardedClient { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Its method.</summary>
    public string? Method { get; init; }

    /// <summary>Its host, escaped as in the log.</summary>
    public string? Host { get; init; }

    /// <summary>Its path without the query, escaped as in the log.</summary>
    public string? Path { get; init; }

    /// <summary>Why the backend was chosen, as in the log.</summary>
    public string? ChosenBy { get; init; }

    /// <summary>What became of the client's pin: <c>new</c>, <c>kept</c>, <c>moved</c> or <c>held</c>.</summary>
    public string? PinOutcome { get; init; }

    /// <summary>The id of its trace, 32 hexadecimal digits.</summary>
    public string? TraceId { get; init; }
}
