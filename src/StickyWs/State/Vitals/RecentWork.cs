namespace StickyWs.State;

/// <summary>What a backend did in the last minute. It is counted while somebody looks, and for five minutes after.</summary>
public sealed class RecentWork
{
    /// <summary>How much of the minute it covers, up to 70 s: counting began with the first look.</summary>
    public required TimeSpan Span { get; init; }

    /// <summary>Handshakes that it answered, from the routed head to the outcome.</summary>
    public required RecentTimes Handshakes { get; init; }

    /// <summary>Handshakes that it was asked for, and that opened no tunnel; those whose client left are not among them.</summary>
    public required long FailedHandshakes { get; init; }

    /// <summary>Plain requests that it answered, from routing to the end of the response.</summary>
    public required RecentTimes Requests { get; init; }

    /// <summary>Plain requests that it failed.</summary>
    public required long FailedRequests { get; init; }

    /// <summary>Tunnels that opened.</summary>
    public required long Opened { get; init; }

    /// <summary>Tunnels that ended.</summary>
    public required long Ended { get; init; }

    /// <summary>In pools with affinity: handshakes and requests of clients that came back to it.</summary>
    public required long Kept { get; init; }

    /// <summary>The same of clients that were known at another backend.</summary>
    public required long Moved { get; init; }

    /// <summary>The same of clients that were refused because it is away and has their state (<c>Affinity:HoldFor</c>).</summary>
    public required long Held { get; init; }

    /// <summary>The same of clients that no rule knew.</summary>
    public required long New { get; init; }
}

/// <summary>Durations of the last minute; quantiles are within an eighth.</summary>
public sealed class RecentTimes
{
    /// <summary>How many.</summary>
    public required long Count { get; init; }

    /// <summary>The median; <see langword="null"/> if there are none.</summary>
    public TimeSpan? Median { get; init; }

    /// <summary>The 99th percentile; <see langword="null"/> if there are none.</summary>
    public TimeSpan? Percentile99 { get; init; }
}
