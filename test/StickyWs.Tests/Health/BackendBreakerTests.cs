using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;

namespace StickyWs.Tests.Health;

public sealed class BackendBreakerTests : IDisposable
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly WatchedTime _time = new();
    private readonly FakeLogger<BackendRegistry> _logger = new();
    private readonly BackendRegistry _registry;
    private readonly PassiveHealthOptions _passive;
    private BackendBreaker _breaker;

    public BackendBreakerTests()
    {
        var options = Clinic.Options(pool => pool.Health.Tcp = null);
        _passive = options.Pools[Clinic.Pool].Health.Passive;
        (_passive.FailureRatio, _passive.MinimumThroughput, _passive.SamplingDuration, _passive.BreakDuration) = (0.4, 5, Window, Rest);
        _registry = new BackendRegistry(_logger, TimeProvider.System);
        _registry.Apply(options);
        _breaker = Create();
    }

    private Backend Backend => _registry.Current.Pools.Single().Backends.Single();

    private int Eligible => _registry.Current.Pools.Single().Eligible.Count;

    public void Dispose() => _breaker.Dispose();

    [Fact]
    public async Task Count_FewerThanMinimumThroughput_OpensNothing()
    {
        await CountAsync(failed: 4, good: 0);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Count_BelowFailureRatio_OpensNothing()
    {
        await CountAsync(failed: 0, good: 6);
        await CountAsync(failed: 3, good: 0);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Count_FailureRatioReached_OpensWithTheLastCause()
    {
        await CountAsync(failed: 0, good: 6);
        await CountAsync(failed: 4, good: 0);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        Assert.Equal(0, Eligible);
        Assert.EndsWith("was Unknown and is Unhealthy: data path: 40% or more failed, the last: refused 4", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_FailuresOlderThanTheWindow_AreForgotten()
    {
        await CountAsync(failed: 4, good: 0);
        _time.Advance(2 * Window);
        await CountAsync(failed: 4, good: 0);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Rest_NotOver_IgnoresWork()
    {
        await CountAsync(failed: 5, good: 0);
        _time.Advance(Rest - TimeSpan.FromMilliseconds(1));

        await CountAsync(failed: 0, good: 50);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    [Fact]
    public async Task Rest_Over_IsTriedAgain_AndGoodWorkCloses()
    {
        await CountAsync(failed: 5, good: 0);
        _time.Advance(Rest);
        Assert.Equal(1, Eligible);
        Assert.EndsWith("was Unhealthy and is Unknown: data path: rested for 20 s, and is tried again", _logger.LatestRecord.Message, StringComparison.Ordinal);

        await CountAsync(failed: 0, good: 1);

        Assert.EndsWith("was Unknown and is Healthy: data path: the first work after the rest was good", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rest_Over_FailedWorkOpensForAnotherRest()
    {
        await CountAsync(failed: 5, good: 0);
        _time.Advance(Rest);

        await CountAsync(failed: 1, good: 0);
        Assert.EndsWith("was Unknown and is Unhealthy: data path: the first work after the rest failed too, the last: refused 1", _logger.LatestRecord.Message, StringComparison.Ordinal);
        _time.Advance(Rest - TimeSpan.FromMilliseconds(1));
        Assert.Equal(BackendState.Unhealthy, Backend.State);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Rest_Closed_CountsFromNothing()
    {
        await CountAsync(failed: 5, good: 0);
        _time.Advance(Rest);
        await CountAsync(failed: 0, good: 1);

        await CountAsync(failed: 4, good: 0);

        Assert.Equal(BackendState.Healthy, Backend.State);
    }

    [Fact]
    public async Task Rest_WithProbes_NeverEndsByItself()
    {
        Replace(probed: true);
        await CountAsync(failed: 5, good: 0);

        _time.Advance(100 * Rest);
        await CountAsync(failed: 0, good: 50);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    [Fact]
    public async Task Close_AfterOpenedByWork_CountsAgain()
    {
        Replace(probed: true);
        await CountAsync(failed: 5, good: 0);

        await _breaker.CloseAsync("probe: good");
        Assert.Equal(BackendState.Healthy, Backend.State);
        await CountAsync(failed: 4, good: 0);
        Assert.Equal(BackendState.Healthy, Backend.State);
        await CountAsync(failed: 1, good: 0);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    [Fact]
    public async Task Close_NeverOpened_ReportsHealthy()
    {
        await _breaker.CloseAsync("probe: the first good one");

        Assert.EndsWith("was Unknown and is Healthy: probe: the first good one", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Isolate_IgnoresWorkUntilClosed()
    {
        Replace(probed: true);
        await _breaker.CloseAsync("probe: the first good one");

        await _breaker.IsolateAsync("probe: connection refused");
        await CountAsync(failed: 0, good: 50);
        Assert.EndsWith("was Healthy and is Unhealthy: probe: connection refused", _logger.LatestRecord.Message, StringComparison.Ordinal);
        await _breaker.CloseAsync("probe: a good one");

        Assert.EndsWith("was Unhealthy and is Healthy: probe: a good one", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_WorkDoesNotCount_OpensNothing()
    {
        _passive.Enabled = false;
        Replace(probed: false);

        await CountAsync(failed: 50, good: 0);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Dispose_WhileResting_IsNotTriedByIt()
    {
        await CountAsync(failed: 5, good: 0);

        _breaker.Dispose();
        _time.Advance(Rest);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    [Fact]
    public async Task Count_ManyAtOnce_EndsOpenAndUnhealthy()
    {
        Replace(probed: true);
        await _breaker.CloseAsync("probe: the first good one");
        var turns = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++) await _breaker.CloseAsync("probe: a good one");
        });

        // Whichever comes last, its report must be the one that stays.
        await Task.WhenAll([turns, .. Enumerable.Range(0, 4).Select(_ => Task.Run(() => CountAsync(failed: 2000, good: 0)))]);
        await CountAsync(failed: 5, good: 0);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    private BackendBreaker Create(bool probed = false)
    {
        var health = new HealthOptions
        {
            Tcp = probed ? new TcpProbeOptions() : null,
            Passive =
            {
                Enabled = _passive.Enabled,
                FailureRatio = _passive.FailureRatio,
                MinimumThroughput = _passive.MinimumThroughput,
                SamplingDuration = _passive.SamplingDuration,
                BreakDuration = _passive.BreakDuration,
            },
        };
        return new BackendBreaker(Backend, BreakerRules.Of(health), _registry, _time);
    }

    private void Replace(bool probed)
    {
        _breaker.Dispose();
        _breaker = Create(probed);
    }

    private async Task CountAsync(int failed, int good)
    {
        for (var i = 1; i <= failed; i++) await _breaker.CountAsync($"refused {i}");
        for (var i = 0; i < good; i++) await _breaker.CountAsync(null);
    }
}
