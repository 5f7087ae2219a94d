using System.Net;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>The breaker of a backend without probes: what traffic proves, what it merely suspects, and how a backend comes back.</summary>
public sealed class BackendBreakerTests : IDisposable
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly WatchedTime _time = new();
    private readonly FakeLogger<BackendRegistry> _logger = new();
    private readonly ScriptedProbe _connects;
    private readonly BackendRegistry _registry;
    private readonly PassiveHealthOptions _passive;
    private BackendBreaker _breaker;

    public BackendBreakerTests()
    {
        var options = Clinic.Options(pool => pool.Health.Tcp = null, "a", "b", "c");
        _passive = options.Pools[Clinic.Pool].Health.Passive;
        (_passive.FailureRatio, _passive.MinimumThroughput, _passive.SamplingDuration, _passive.BreakDuration) = (0.4, 5, Window, LongestRest);
        _connects = new ScriptedProbe(_time);
        _registry = new BackendRegistry(_logger, _time);
        _registry.Apply(options);
        _breaker = Create();
    }

    private Backend Backend => BackendAt(0);

    private PoolSnapshot Pool => _registry.Current.Pools.Single();

    public void Dispose() => _breaker.Dispose();

    [Fact]
    public async Task Proof_FewerThanMinimumThroughput_OpensNothing()
    {
        await RefuseAsync(4);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Proof_BelowFailureRatio_OpensNothing()
    {
        await SucceedAsync(6);
        await RefuseAsync(3);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Proof_FailureRatioReached_OpensWithTheLastCause()
    {
        await SucceedAsync(6);
        await RefuseAsync(4);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        Assert.EndsWith(
            "was Unknown and is Unhealthy: traffic: 40% or more failed, the last: refused 4",
            _logger.LatestRecord.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proof_OlderThanTheWindow_IsForgotten()
    {
        await RefuseAsync(4);
        _time.Advance(2 * Window);
        await RefuseAsync(4);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Theory]
    [InlineData(Evidence.NoAnswer)]
    [InlineData(Evidence.BadAnswer)]
    [InlineData(Evidence.TimedOut)]
    [InlineData(Evidence.BrokenAnswer)]
    internal async Task Suspicion_OfTooFewClients_OpensNothing(Evidence evidence)
    {
        for (var i = 0; i < 1000; i++)
        {
            await _breaker.FailedAsync(Suspicion.Of(evidence, Client(i % 2)));
            _time.Advance(Window / 100);
        }

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Suspicion_OfOneHostsManyAddresses_IsOfOneClient()
    {
        for (var i = 0; i < 1000; i++)
        {
            await _breaker.FailedAsync(Suspicion.Of(Evidence.NoAnswer, IPAddress.Parse($"2001:db8:0:1::{i:x}")));
            _time.Advance(Window / 100);
        }

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Suspicion_OfSeveralClientsWithoutASuccess_Opens()
    {
        await SuspectAsync(4);
        Assert.Equal(BackendState.Unknown, Backend.State);
        _time.Advance(Window);
        await SuspectAsync(1);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        Assert.EndsWith(
            "traffic: nothing succeeded for 30 s, and 3 clients or more saw it fail, the last: no answer in time",
            _logger.LatestRecord.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suspicion_OfSeveralClientsBetweenSuccesses_OpensNothing()
    {
        for (var i = 0; i < 1000; i++)
        {
            if (i % 7 == 6) await SucceedAsync(1);
            await SuspectAsync(100);
            _time.Advance(Window / 7);
        }

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Suspicion_Disproved_CountsWithNoLaterProof()
    {
        await SuspectAsync(4);
        _time.Advance(Window);
        await SucceedAsync(1);

        await RefuseAsync(3);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Suspicion_OverMinutes_IsForgotten()
    {
        for (var i = 0; i < 100; i++)
        {
            await _breaker.FailedAsync(Suspicion.Of(Evidence.TimedOut, Client(i)));
            _time.Advance(TimeSpan.FromMinutes(3));
        }

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Suspicion_WhileHalfOfThePoolIsOut_OpensNothingAndSaysSoOnce()
    {
        _registry.Report(BackendAt(1), BackendState.Unhealthy, "test");
        _registry.Report(BackendAt(2), BackendState.Unhealthy, "test");

        await SuspectAsync(5);
        _time.Advance(Window);
        await SuspectAsync(5);
        await Wait.UntilAsync(() => Spared == 1);

        Assert.Equal(BackendState.Unknown, Backend.State);
        await SuspectAsync(5);
        _time.Advance(Window);
        await SuspectAsync(5);
        Assert.Equal(1, Spared);
        await Wait.UntilAsync(async () =>
        {
            await SuspectAsync(5);
            _time.Advance(Window);
            return Spared == 2;
        });
    }

    [Fact]
    public async Task Proof_OfTheWholePool_LeavesAllInUse()
    {
        _registry.Report(BackendAt(1), BackendState.Unhealthy, "test");
        _registry.Report(BackendAt(2), BackendState.Unhealthy, "test");

        await RefuseAsync(5);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        Assert.True(Pool.IsPanicking);
        Assert.Equal(3, Pool.Eligible.Count);
    }

    [Fact]
    public async Task Comeback_FromProof_IsByAConnectOfOurOwn()
    {
        await RefuseAsync(5);
        Assert.True(Backend.IsHearsay);
        foreach (var rest in (TimeSpan[])[FirstRest, 2 * FirstRest, 4 * FirstRest, LongestRest])
        {
            await _time.TimerAsync(rest);
            _time.Advance(rest);
            (await _connects.NextAsync("a")).Fail("refused");
        }

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        await _time.TimerAsync(LongestRest);
        Assert.False(Backend.IsHearsay);
        _time.Advance(LongestRest);
        (await _connects.NextAsync("a")).Good();

        await Wait.UntilAsync(() => Backend.State == BackendState.Healthy);
        Assert.EndsWith(
            "was Unhealthy and is Healthy: traffic: a connect of the balancer's own was good",
            _logger.LatestRecord.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comeback_FromSuspicion_IsByOneRequestAtATime()
    {
        await SuspectAsync(5);
        _time.Advance(Window);
        await SuspectAsync(1);
        Assert.Equal([Backend], Pool.Suspended);
        Assert.True(Backend.IsSuspended);
        Assert.False(Backend.TryTakeTrial());

        await _time.TimerAsync(FirstRest);
        _time.Advance(FirstRest);
        await _time.TimerAsync(2 * FirstRest);

        Assert.True(Backend.TryTakeTrial());
        _time.Advance(2 * FirstRest);
        await _time.TimerAsync(LongestRest);
        Assert.False(Backend.TryTakeTrial());
        Backend.EndTrial();
        _time.Advance(LongestRest);
        await _time.TimerAsync(LongestRest);

        Assert.True(Backend.TryTakeTrial());
        Assert.Equal(0, _connects.Count);
    }

    // Whoever took it may hold it for as long as a poll lasts, and has a reason to where it is an attacker.
    [Fact]
    public async Task Comeback_TrialThatNeverEnds_IsOvertaken()
    {
        await SuspectAsync(5);
        _time.Advance(Window);
        await SuspectAsync(1);
        await RestAsync(FirstRest);
        await _time.TimerAsync(2 * FirstRest);
        Assert.True(Backend.TryTakeTrial());
        _time.Advance(2 * FirstRest);
        await _time.TimerAsync(LongestRest);
        Assert.False(Backend.TryTakeTrial());

        _time.Advance(LongestRest);
        await _time.TimerAsync(LongestRest);
        Backend.EndTrial();

        Assert.True(Backend.TryTakeTrial());
    }

    // Where all requests are POSTs, or all clients have their keys, none can try it.
    [Fact]
    public async Task Comeback_NoRequestCanTryIt_IsInUseAgain()
    {
        await SuspectAsync(5);
        _time.Advance(Window);
        await SuspectAsync(1);

        await RestAsync(FirstRest);
        await RestAsync(2 * FirstRest);
        Assert.Equal(BackendState.Unhealthy, Backend.State);
        await RestAsync(LongestRest);

        await Wait.UntilAsync(() => Backend.State == BackendState.Healthy);
        Assert.EndsWith("was Unhealthy and is Healthy: traffic: no request came that could try it", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comeback_ByAnAnswer_ComesAtOnceAndCountsFromNothing()
    {
        await RefuseAsync(5);

        await SucceedAsync(1);
        Assert.EndsWith("was Unhealthy and is Healthy: traffic: it answered", _logger.LatestRecord.Message, StringComparison.Ordinal);
        await RefuseAsync(4);

        Assert.Equal(BackendState.Healthy, Backend.State);
    }

    [Fact]
    public async Task Traffic_WhereProbesDecide_ChangesNothing()
    {
        Replace(probed: true);

        await RefuseAsync(50);
        Assert.Equal(BackendState.Unknown, Backend.State);
        await _breaker.IsolateAsync("probe: connection refused");
        await SucceedAsync(50);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        await _breaker.CloseAsync("probe: a good one");
        Assert.EndsWith("was Unhealthy and is Healthy: probe: a good one", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Close_NeverOpened_ReportsHealthy()
    {
        await _breaker.CloseAsync("probe: the first good one");

        Assert.EndsWith("was Unknown and is Healthy: probe: the first good one", _logger.LatestRecord.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_TrafficDoesNotCount_OpensNothing()
    {
        _passive.Enabled = false;
        Replace(probed: false);

        await RefuseAsync(50);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Dispose_WhileOut_EndsItsComeback()
    {
        await RefuseAsync(5);
        await _time.TimerAsync(FirstRest);

        _breaker.Dispose();
        _time.Advance(FirstRest);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
        Assert.Equal(0, _connects.Count);
    }

    [Fact]
    public async Task Count_ManyAtOnce_EndsOpenAndUnhealthy()
    {
        var turns = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++) await _breaker.CloseAsync("a good one");
        });

        // Whichever comes last, its report must be the one that stays.
        await Task.WhenAll([turns, .. Enumerable.Range(0, 4).Select(_ => Task.Run(() => RefuseAsync(2000)))]);
        await RefuseAsync(5);

        Assert.Equal(BackendState.Unhealthy, Backend.State);
    }

    private int Spared => _logger.Collector.GetSnapshot().Count(record => record.Id.Name == "BackendSpared");

    private static IPAddress Client(int number) => new([10, 0, 0, (byte)number]);

    private Backend BackendAt(int place) => Pool.Backends[place];

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
        var check = new ConnectCheck(_connects, Clinic.Timeout, _time);
        return new BackendBreaker(Backend, BreakerRules.Of(health), check, _registry, _time, static _ => { });
    }

    private void Replace(bool probed)
    {
        _breaker.Dispose();
        _breaker = Create(probed);
    }

    private async Task RestAsync(TimeSpan rest)
    {
        await _time.TimerAsync(rest);
        _time.Advance(rest);
    }

    private async Task RefuseAsync(int times)
    {
        for (var i = 1; i <= times; i++) await _breaker.FailedAsync(new Suspicion(Evidence.Refused, $"refused {i}", Client(1)));
    }

    private async Task SuspectAsync(int times)
    {
        for (var i = 0; i < times; i++) await _breaker.FailedAsync(Suspicion.Of(Evidence.TimedOut, Client(i % 5)));
    }

    private async Task SucceedAsync(int times)
    {
        for (var i = 0; i < times; i++) await _breaker.SucceededAsync();
    }
}
