namespace StickyWs.Configuration;

/// <summary>The end of the process, within the host's own time (<c>HostOptions.ShutdownTimeout</c>, 30 s by default).</summary>
public sealed class ShutdownOptions
{
    /// <summary>
    /// How long everything is still served after the stop was asked for, while the health check is unhealthy already: the time that whatever is in
    /// front takes to notice. It is part of the host's time, and at most half of it is used. Range 0 to 10 min; default 0.
    /// </summary>
    [TimeRange("00:00:00", "00:10:00")]
    public TimeSpan ReadinessDelay { get; set; }

    /// <summary>
    /// The part of the host's time that is kept for tunnels to end in after they were told to go, and for requests. At least 2 s and at
    /// most half of what is left are kept. Range 0 to 10 min; default 10 s.
    /// </summary>
    [TimeRange("00:00:00", "00:10:00")]
    public TimeSpan Reserve { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether tunnels are told to go, with a Close frame, spread over the time. Otherwise they have the time to end by themselves. Default
    /// <see langword="true"/>.
    /// </summary>
    public bool Goodbye { get; set; } = true;

    /// <summary>
    /// The status code of the Close frame (RFC 6455 section 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Range 1,000 to 4,999; default 1001
    /// (Going Away).
    /// </summary>
    [NumberRange(1000, 4999)]
    public int CloseCode { get; set; } = 1001;

    /// <summary>The text of the Close frame: at most 123 bytes of UTF-8. Default <c>going away</c>.</summary>
    public string CloseReason { get; set; } = "going away";
}
