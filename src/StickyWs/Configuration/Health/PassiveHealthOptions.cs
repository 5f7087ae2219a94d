namespace StickyWs.Configuration;

/// <summary>
/// How failures of real traffic (connects, handshakes, missing responses) count. In a pool with probes they trigger an immediate probe, whose result
/// decides. In a pool without probes they open the backend's circuit breaker: at least <see cref="MinimumThroughput"/> outcomes within <see
/// cref="SamplingDuration"/>, of which <see cref="FailureRatio"/> or more failed. A failed connect always counts. A failure that the client's own
/// request may have caused (no response, an invalid one, a time-out) counts only when <see cref="MinimumClients"/> clients saw it and nothing
/// succeeded on that backend for <see cref="SamplingDuration"/>. Such failures never take out the last backend of a pool, nor more than half of its
/// backends.
/// </summary>
public sealed class PassiveHealthOptions
{
    /// <summary>Whether failures of real traffic count. Default <see langword="true"/>.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Without probes: the share of outcomes that must have failed. Range 0.01 to 1; default 0.5.</summary>
    [NumberRange(0.01, 1)]
    public double FailureRatio { get; set; } = 0.5;

    /// <summary>Without probes: the minimum number of outcomes to judge by. Range 2 to 1,000,000; default 5.</summary>
    [NumberRange(2, 1_000_000)]
    public int MinimumThroughput { get; set; } = 5;

    /// <summary>
    /// Without probes: the minimum number of clients, by address (IPv6: by /64), that must have seen a failure that a client may have caused. Behind
    /// a proxy that hides client addresses, all clients count as one: add it to <see cref="StickyWsOptions.TrustedProxies"/>, or set 1. Range 1 to
    /// 100; default 3.
    /// </summary>
    [NumberRange(1, 100)]
    public int MinimumClients { get; set; } = 3;

    /// <summary>
    /// Without probes: the sampling window, and how long a backend must have had no success before failures that clients may have caused count. Range
    /// 500 ms to 1 day; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Without probes: the longest time between two attempts to bring a backend back. An attempt is a connect by the balancer, or a single request
    /// where connects succeed. The first comes after 250 ms; the wait then doubles each time. Range 500 ms to 1 day; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.5", "1.00:00:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(10);
}
