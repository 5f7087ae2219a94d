namespace StickyWs.Configuration;

/// <summary>The settings that all kinds of probes share.</summary>
public abstract class ProbeOptions
{
    private protected ProbeOptions()
    {
    }

    /// <summary>Time from the end of one probe of a backend to the start of the next. Range 50 ms to 1 h; default 5 s.</summary>
    [TimeRange("00:00:00.05", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The time-out of one attempt. Range 10 ms to 5 min; default 2 s.</summary>
    [TimeRange("00:00:00.01", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Successful probes in a row that make an unhealthy backend healthy. A backend that was never probed needs one. Range 1 to 100; default 2.
    /// </summary>
    [NumberRange(1, 100)]
    public int Rise { get; set; } = 2;

    /// <summary>Failed probes in a row that make a backend unhealthy. Range 1 to 100; default 3.</summary>
    [NumberRange(1, 100)]
    public int Fall { get; set; } = 3;

    /// <summary>Immediate retries before a probe counts as failed. Range 0 to 10; default 0.</summary>
    [NumberRange(0, 10)]
    public int Retries { get; set; }

    /// <summary>
    /// The fraction of <see cref="Interval"/> by which each wait varies at random, so that probes do not synchronize. Range 0 to 1; default 0.1.
    /// </summary>
    [NumberRange(0, 1)]
    public double Jitter { get; set; } = 0.1;
}
