using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;

namespace StickyWs.Tests.Health;

public sealed class ProbeStreakTests
{
    private readonly ProbeStreak _streak = new();
    private readonly TcpProbeOptions _options = new() { Rise = 3, Fall = 2 };

    [Fact]
    public void Count_UnknownAndGood_TurnsUpAtOnce()
    {
        Assert.Equal(ProbeTurn.Up, Count(null, BackendState.Unknown, out var cause));
        Assert.Equal("probe: the first good one", cause);
    }

    [Fact]
    public void Count_HealthyAndGood_ChangesNothing()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(ProbeTurn.None, Count(null, BackendState.Healthy, out _));
    }

    [Fact]
    public void Count_ProvenByTraffic_OneFailureIsEnough()
    {
        Assert.Equal(ProbeTurn.Down, _streak.Count("connection refused", BackendState.Healthy, _options, isProven: true, out var cause));
        Assert.Equal("traffic raised suspicion, and the probe agrees: connection refused", cause);
    }

    [Fact]
    public void Count_FailureBetween_BeginsAgain()
    {
        Count("x", BackendState.Unhealthy, out _);
        Count(null, BackendState.Unhealthy, out _);
        Count(null, BackendState.Unhealthy, out _);
        Count("x", BackendState.Unhealthy, out _);

        Assert.Equal(ProbeTurn.None, Count(null, BackendState.Unhealthy, out _));
        Assert.Equal(ProbeTurn.None, Count(null, BackendState.Unhealthy, out _));
        Assert.Equal(ProbeTurn.Up, Count(null, BackendState.Unhealthy, out _));
    }

    [Fact]
    public void Count_UnhealthyAndFailing_ChangesNothing()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(ProbeTurn.None, Count("x", BackendState.Unhealthy, out _));
    }

    [Fact]
    public void Count_FallOfOne_NamesTheCauseAlone()
    {
        _options.Fall = 1;

        Assert.Equal(ProbeTurn.Down, Count("connection refused", BackendState.Healthy, out var cause));
        Assert.Equal("probe: connection refused", cause);
    }

    [Fact]
    public void Count_RiseOfOne_IsOneGoodProbe()
    {
        _options.Rise = 1;

        Assert.Equal(ProbeTurn.Up, Count(null, BackendState.Unhealthy, out var cause));
        Assert.Equal("probe: a good one", cause);
    }

    private ProbeTurn Count(string? failure, BackendState state, out string cause) => _streak.Count(failure, state, _options, isProven: false, out cause);
}
