namespace StickyWs.State;

/// <summary>A probe that has ended.</summary>
public sealed class ProbeStatus
{
    /// <summary>When it ended.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long it took, its retries included.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Why it failed; <see langword="null"/> if it was good.</summary>
    public string? Failure { get; init; }
}
