using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class BreakerBoardTests : IDisposable
{
    private readonly WatchedTime _time = new();
    private readonly LogRecorder _logs = new();
    private readonly LoggerFactory _loggers;
    private readonly BackendRegistry _registry;
    private readonly BreakerBoard _board;

    public BreakerBoardTests()
    {
        _loggers = new LoggerFactory([_logs]);
        _registry = new BackendRegistry(_loggers.CreateLogger<BackendRegistry>(), TimeProvider.System);
        _board = new BreakerBoard(_registry, new ScriptedProbe(_time), _time, _loggers.CreateLogger<BreakerBoard>());
    }

    private Backend Backend => _registry.Current.Pools.Single().Backends.Single();

    public void Dispose()
    {
        _board.Dispose();
        _loggers.Dispose();
    }

    [Fact]
    public async Task Apply_SameRules_KeepsWhatWasCounted()
    {
        Apply(_ => { });
        Fail(4);

        Apply(pool => pool.Backends["a"].Weight = 9);
        Fail(1);

        await Wait.UntilAsync(() => Backend.State == BackendState.Unhealthy);
    }

    [Fact]
    public void Apply_OtherRules_CountsFromNothing()
    {
        Apply(_ => { });
        Fail(4);

        Apply(pool => pool.Health.Passive.FailureRatio = 0.75);
        Fail(4);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public async Task Apply_OtherRulesWhileOpen_IsTriedAgain()
    {
        Apply(_ => { });
        Fail(5);
        await Wait.UntilAsync(() => Backend.State == BackendState.Unhealthy);

        Apply(pool => pool.Health.Passive.Enabled = false);

        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public void Failed_BackendThatIsGone_ChangesNothing()
    {
        Apply(_ => { });
        var gone = Backend;
        Apply(pool => pool.Backends["a"].Address = "http://127.0.0.1:6000");

        for (var i = 0; i < 50; i++) _board.Failed(gone, new Suspicion(Evidence.Refused, "refused"));

        Assert.Equal(BackendState.Draining, gone.State);
        Assert.Equal(BackendState.Unknown, Backend.State);
    }

    [Fact]
    public void Failed_ConnectsFail_IsOneWarningUntilItHasAnswered()
    {
        Apply(pool => pool.Health.Passive.Enabled = false);

        Fail(3);
        var line = Assert.Single(_logs.Lines, IsUnreachable);
        Assert.Equal(
            (LogLevel.Warning, "Backend chat/a at http://127.0.0.1:5000/ could not be reached: refused. Further failures are logged at Debug until it answers"),
            (line.Level, line.Text));

        _board.Succeeded(Backend);
        Fail(3);
        Assert.Equal(2, _logs.Lines.Count(IsUnreachable));
    }

    [Fact]
    public void Failed_ComesAndGoes_IsTenWarningsAMinute()
    {
        Apply(pool => pool.Health.Passive.Enabled = false);

        for (var i = 0; i < 50; i++) FailAndSucceed();
        Assert.Equal(10, _logs.Lines.Count(IsUnreachable));
        _time.Advance(TimeSpan.FromMinutes(1));
        FailAndSucceed();
        Assert.Equal(11, _logs.Lines.Count(IsUnreachable));

        void FailAndSucceed()
        {
            Fail(1);
            _board.Succeeded(Backend);
        }
    }

    [Theory]
    [InlineData(Evidence.NoAnswer)]
    [InlineData(Evidence.BadAnswer)]
    [InlineData(Evidence.OutOfResources)]
    [InlineData(Evidence.OutOfReach)]
    public void Failed_NotByAConnectOrNotByTheBackend_IsNoWarning(object evidence)
    {
        Apply(pool => pool.Health.Passive.Enabled = false);

        _board.Failed(Backend, new Suspicion((Evidence)evidence, "test"));

        Assert.DoesNotContain(_logs.Lines, IsUnreachable);
    }

    // As many as would take it out, were they the backend's fault; those who have a connection to it are served meanwhile.
    [Theory]
    [InlineData(Evidence.OutOfResources)]
    [InlineData(Evidence.OutOfReach)]
    public async Task Failed_ForOurSakeBesideSuccesses_LeavesItInUseAndCountsForNothing(object evidence)
    {
        Apply(_ => { });

        for (var i = 0; i < 50; i++)
        {
            _board.Failed(Backend, Suspicion.Of((Evidence)evidence, null));
            if (i % 5 == 0) _board.Succeeded(Backend);
        }

        Assert.Equal((BackendState.Unknown, 0), (Backend.State, Backend.AwaySince));
        Assert.DoesNotContain(_logs.Lines, line => line.Event == "BackendStateChanged");

        // What is proof does, even beside as many successes as came.
        Fail(11);
        await Wait.UntilAsync(() => Backend.State == BackendState.Unhealthy);
    }

    private static bool IsUnreachable(LogLine line) => line.Event == "BackendUnreachable";

    [Fact]
    public async Task Failed_ReportThrows_IsLogged()
    {
        Apply(_ => { });
        _registry.Changed += _ => throw new InvalidOperationException("a broken listener");

        Fail(5);

        await Wait.UntilAsync(() => _logs.Lines.Any(line => line.Event == "BreakerFailed" && line.Exception?.Message == "a broken listener"));
    }

    private void Apply(Action<PoolOptions> change)
    {
        _registry.Apply(Clinic.Options(pool =>
        {
            pool.Health.Tcp = null;
            change(pool);
        }));
        _board.Apply(_registry.Current);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++) _board.Failed(Backend, new Suspicion(Evidence.Refused, "refused"));
    }
}
