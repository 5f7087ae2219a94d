using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>What a backend's breaker goes by, to compare: a reload that changes none of it leaves the breaker and its counts alone.</summary>
internal sealed record BreakerRules(
    bool CountsWork,
    double FailureRatio,
    int MinimumThroughput,
    int MinimumClients,
    TimeSpan SamplingDuration,
    TimeSpan BreakDuration,
    bool IsProbed)
{
    public static BreakerRules Of(HealthOptions health)
    {
        var passive = health.Passive;
        return new(passive.Enabled, passive.FailureRatio, passive.MinimumThroughput, passive.MinimumClients, passive.SamplingDuration, passive.BreakDuration, health.Probe is not null);
    }
}
