namespace StickyWs.Configuration;

/// <summary>Where pins (affinity key to backend) are kept: in this process, and in an <see cref="Pinning.IPinStore"/> where one is registered.</summary>
public sealed class PinOptions
{
    /// <summary>
    /// How many pins the process keeps, of all pools; beyond that the one that was not used for the longest time makes room. A pin takes some 60
    /// bytes. The keys of hashing rules are counted by themselves, up to the same number. Range 1,000 to 100,000,000; default 1,000,000.
    /// </summary>
    [NumberRange(1000, 100_000_000)]
    public int MaxPins { get; set; } = 1_000_000;

    /// <summary>
    /// How long a request waits for the shared store before it goes on without. Range 1 ms to 10 s; default 50 ms.
    /// </summary>
    [TimeRange("00:00:00.001", "00:00:10")]
    public TimeSpan StoreTimeout { get; set; } = TimeSpan.FromMilliseconds(50);
}
