namespace StickyWs.Configuration;

/// <summary>
/// When failures on the data path (connects, handshakes, answers that never came) open a backend's circuit breaker:
/// at least <see cref="MinimumThroughput"/> outcomes within <see cref="SamplingDuration"/>, of which <see cref="FailureRatio"/> or more failed.
/// </summary>
public sealed class PassiveHealthOptions
{
    /// <summary>Whether failures on the data path count. Default <see langword="true"/>.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The part of outcomes that must have failed. Range 0.01 to 1; default 0.5.</summary>
    [NumberRange(0.01, 1)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>The fewest outcomes to judge by. Range 2 to 1,000,000; default 5.</summary>
    [NumberRange(2, 1_000_000)]
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>The window of outcomes. Range 500 ms to 1 day; default 10 s.</summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a backend without probes rests before it is tried again. (With probes, good probes bring it back.) Range 500 ms to 1 day; default 10 s.</summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(10);
}
