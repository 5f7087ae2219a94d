namespace StickyWs.Configuration;

/// <summary>
/// What failures of real traffic (connects, handshakes, answers that never came) do. In a pool with probes they cause an extra probe at once, whose
/// result decides. In a pool without probes they open a backend's circuit breaker: at least <see cref="MinimumThroughput"/> outcomes within
/// <see cref="SamplingDuration"/>, of which <see cref="FailureRatio"/> or more failed. A connect that failed counts as it is. What a client's own
/// request may have caused (no answer, a bad one, a time-out) counts only when <see cref="MinimumClients"/> clients saw it and nothing succeeded on
/// that backend for <see cref="SamplingDuration"/>, and it takes out neither the last backend of a pool nor more than half of them.
/// </summary>
public sealed class PassiveHealthOptions
{
    /// <summary>Whether failures of real traffic count. Default <see langword="true"/>.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Without probes: the part of outcomes that must have failed. Range 0.01 to 1; default 0.5.</summary>
    [NumberRange(0.01, 1)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Without probes: the fewest outcomes to judge by. Range 2 to 1,000,000; default 5.</summary>
    [NumberRange(2, 1_000_000)]
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>
    /// Without probes: the fewest clients, by address (IPv6: by /64), that must have seen what one of them might have caused. Behind a proxy that
    /// hides its clients' addresses all are one: name it in <see cref="StickyWsOptions.TrustedProxies"/>, or set 1. Range 1 to 100; default 3.
    /// </summary>
    [NumberRange(1, 100)]
    public int MinimumClients { get; set; } = 3;

    /// <summary>
    /// Without probes: the window of outcomes, and how long a backend must have had no success before evidence that clients may have caused counts.
    /// Range 500 ms to 1 day; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Without probes: the longest time between two attempts to bring a backend back. It is tried by a connect of the balancer's own, or by single
    /// requests where connects succeed; first after 250 ms, then after twice as long each time. Range 500 ms to 1 day; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(10);
}
