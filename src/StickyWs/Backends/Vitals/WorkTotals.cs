namespace StickyWs.Backends;

/// <summary>What is counted besides durations.</summary>
internal enum WorkCounter
{
    /// <summary>Handshakes that it was asked for, and that opened no tunnel for another reason than that the client left.</summary>
    FailedHandshakes,

    /// <summary>Requests that it failed.</summary>
    FailedRequests,

    /// <summary>Tunnels that opened.</summary>
    Opened,

    /// <summary>Tunnels that ended.</summary>
    Ended,

    /// <summary>Clients that came back to it.</summary>
    Kept,

    /// <summary>Clients that were known elsewhere.</summary>
    Moved,

    /// <summary>Clients that had to wait for it, since it is away and has their state.</summary>
    Held,

    /// <summary>Clients that nobody knew.</summary>
    New,
}

internal static class WorkCounters
{
    public const int Count = (int)WorkCounter.New + 1;
}

/// <summary>What a backend did.</summary>
/// <param name="Span">In which time; a minute or so, or since it is counted.</param>
/// <param name="Handshakes">Answered handshakes, from the routed head to the outcome.</param>
/// <param name="Requests">Plain requests, from routing to the end of the response.</param>
/// <param name="Counts">By <see cref="WorkCounter"/>.</param>
internal sealed record WorkTotals(TimeSpan Span, WorkTimes Handshakes, WorkTimes Requests, long[] Counts)
{
    public long this[WorkCounter counter] => Counts[(int)counter];
}

/// <summary>Durations.</summary>
/// <param name="Count">How many.</param>
/// <param name="Median">The median; <see langword="null"/> if there is none.</param>
/// <param name="NinetyNinth">What 99 of 100 are below.</param>
internal readonly record struct WorkTimes(long Count, TimeSpan? Median, TimeSpan? NinetyNinth);
