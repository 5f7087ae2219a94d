namespace StickyWs.Configuration;

/// <summary>Where pins (affinity key to backend) are stored: in this process, and in an <see cref="Pinning.IPinStore"/> if one is registered.</summary>
public sealed class PinOptions
{
    /// <summary>
    /// How many pins the process keeps for all pools together; beyond that the least recently used one is evicted. A pin takes about 60 bytes. The
    /// keys of hashing rules are counted separately, with the same limit. Range 1,000 to 100,000,000; default 1,000,000.
    /// </summary>
    [NumberRange(1000, 100_000_000)]
    public int MaxPins { get; set; } = 1_000_000;

    /// <summary>How long a request waits for the shared store before it continues without it. Range 1 ms to 10 s; default 50 ms.</summary>
    [TimeRange("00:00:00.001", "00:00:10")]
    public TimeSpan StoreTimeout { get; set; } = TimeSpan.FromMilliseconds(50);
}
