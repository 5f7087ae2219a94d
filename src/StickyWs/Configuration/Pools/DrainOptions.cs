namespace StickyWs.Configuration;

/// <summary>How the tunnels of a pool's backends are handed off. A change applies to hand-offs that begin afterwards.</summary>
public sealed class DrainOptions
{
    /// <summary>
    /// The time over which a backend's tunnels are told to go: evenly spread, with jitter, the longest idle first. Range 0 to 1 day; default 30 s.
    /// </summary>
    [TimeRange("00:00:00", "1.00:00:00")]
    public TimeSpan Over { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// When the tunnels that are left are aborted, counted from the beginning of the hand-off; at least <see cref="Over"/>. Range 0 to 7 days; default
    /// 1 min; <see langword="null"/>: never.
    /// </summary>
    [TimeRange("00:00:00", "7.00:00:00")]
    public TimeSpan? Deadline { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the Close frames of both peers are waited for after a goodbye. Range 0 to 10 min; default 5 s.</summary>
    [TimeRange("00:00:00", "00:10:00")]
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The status code of the Close frame (RFC 6455 section 7.4) with which tunnels are told to go: 1000 to 1003, 1007 to 1014, or 3000 to 4999. Range
    /// 1,000 to 4,999; default 1012 (Service Restart).
    /// </summary>
    [NumberRange(1000, 4999)]
    public int CloseCode { get; set; } = 1012;

    /// <summary>The text of the Close frame: at most 123 bytes of UTF-8. Default <c>service restart</c>.</summary>
    public string CloseReason { get; set; } = "service restart";

    /// <summary>
    /// What happens to the tunnels of a backend that is removed from the configuration. Default <see cref="RemovedBackendBehavior.Keep"/>; a hand-off
    /// under way goes on.
    /// </summary>
    public RemovedBackendBehavior WhenRemoved { get; set; } = RemovedBackendBehavior.Keep;
}
