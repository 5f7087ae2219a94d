namespace StickyWs.Draining;

/// <summary>How one hand-off goes. What is not set is as the options of the backend's pool say (<c>Drain</c>).</summary>
public sealed class HandOffSettings
{
    /// <summary>The time over which tunnels are told to go. Range 0 to 1 day.</summary>
    public TimeSpan? Over { get; init; }

    /// <summary>
    /// When what is left is aborted, counted from the beginning: at least <see cref="Over"/>, at most 7 days, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>The status code of the Close frame: 1000 to 1003, 1007 to 1014, or 3000 to 4999.</summary>
    public int? CloseCode { get; init; }

    /// <summary>The text of the Close frame: at most 123 bytes of UTF-8.</summary>
    public string? CloseReason { get; init; }
}
