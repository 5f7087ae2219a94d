using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Draining;

/// <summary>The end of the process, as the host asks for it.</summary>
public sealed class TunnelShutdownTests : IDisposable
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(30);

    private readonly DrainRig _rig = new();
    private readonly ProcessReadiness _readiness = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly FakeLogger<TunnelShutdown> _log = new();
    private readonly HostOptions _host = new() { ShutdownTimeout = Budget };
    private readonly StopSignals _signals;
    private readonly TunnelShutdown _shutdown;

    public TunnelShutdownTests()
    {
        _signals = new StopSignals(_lifetime, _rig.Clock);
        _shutdown = new TunnelShutdown(_rig.Tunnels, _rig.Registry, _readiness, _signals, Options.Create(_host), _rig.Clock, _log);
    }

    public void Dispose()
    {
        _shutdown.Dispose();
        _signals.Dispose();
        _rig.Dispose();
    }

    [Fact]
    public async Task Stop_Many_AreToldOverTheTimeLessTheReserve()
    {
        var (tunnels, began) = (_rig.Open(600), _rig.Clock.GetUtcNow());

        await _rig.PassUntilAsync(Stop().IsDone);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.Shutdown, 1001, "going away"), (tunnel.EndReason, tunnel.Said!.Code, tunnel.Said.Reason)));
        Assert.InRange(tunnels.Min(tunnel => tunnel.SaidAt) - began, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.InRange(tunnels.Max(tunnel => tunnel.SaidAt) - began, TimeSpan.FromSeconds(18), TimeSpan.FromSeconds(20.5));
        Assert.InRange(tunnels.Count(tunnel => tunnel.SaidAt - began < TimeSpan.FromSeconds(10)), 250, 350);
        Assert.Empty(_log.Collector.GetSnapshot());
    }

    [Fact]
    public async Task Stop_Few_AreToldAtOnce()
    {
        var (tunnels, began) = (_rig.Open(5), _rig.Clock.GetUtcNow());

        await _rig.PassUntilAsync(Stop().IsDone);

        Assert.All(tunnels, tunnel => Assert.InRange(tunnel.SaidAt - began, TimeSpan.Zero, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task Stop_StubbornOnes_AreCutBeforeTheTimeIsOver()
    {
        var (tunnels, began) = (_rig.Open(3, isStubborn: true), _rig.Clock.GetUtcNow());

        await _rig.PassUntilAsync(Stop().IsDone);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.Shutdown, true), (tunnel.EndReason, tunnel.Said is not null)));
        Assert.InRange(_rig.Clock.GetUtcNow() - began, TimeSpan.FromSeconds(28.9), TimeSpan.FromSeconds(29.9));
        Assert.Equal("The shutdown time is over: 3 tunnels were aborted", Assert.Single(_log.Collector.GetSnapshot()).Message);
    }

    [Fact]
    public async Task Stop_WithoutGoodbyes_LeavesThemTheTime()
    {
        Apply(options => options.Shutdown.Goodbye = false);
        var (tunnels, began) = (_rig.Open(3), _rig.Clock.GetUtcNow());

        var stop = Stop();
        for (var second = 0; second < 28; second++) _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        await _rig.PassUntilAsync(stop.IsDone);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.Shutdown, null), (tunnel.EndReason, tunnel.Said)));
        Assert.InRange(_rig.Clock.GetUtcNow() - began, TimeSpan.FromSeconds(28.9), Budget);
    }

    [Fact]
    public async Task Stopping_ReadinessDelay_IsBeforeAllElse()
    {
        Apply(options => options.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(5));
        var (tunnels, began) = (_rig.Open(20), _rig.Clock.GetUtcNow());
        Assert.False(_readiness.IsLeaving);

        var stopping = _shutdown.StoppingAsync(Token());
        Assert.True(_readiness.IsLeaving);
        _rig.Clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(stopping.IsCompleted);
        Assert.All(tunnels, tunnel => Assert.Null(tunnel.Said));
        await _rig.PassUntilAsync(() => stopping.IsCompleted);
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded));

        Assert.InRange(_rig.Clock.GetUtcNow() - began, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
        Assert.Contains("The process is stopping: it is not ready from now on, and serves for another 00:00:05",
            _log.Collector.GetSnapshot().Select(line => line.Message));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Signal_Second_CutsAtOnce(bool isWithinTheDelay)
    {
        if (isWithinTheDelay) Apply(options => options.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(5));
        var tunnels = _rig.Open(3, isStubborn: true);
        await _shutdown.StartedAsync(CancellationToken.None);
        _lifetime.StopApplication();
        var stop = Stop();

        _signals.Note();
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        _rig.Clock.Advance(TimeSpan.FromSeconds(1));
        _signals.Note();

        await Wait.UntilAsync(stop.IsDone); // The clock stands still from here on.
        Assert.All(tunnels, tunnel => Assert.Equal(EndReason.Shutdown, tunnel.EndReason));
        Assert.Equal("A second signal: 3 tunnels were aborted", _log.Collector.GetSnapshot()[^1].Message);
    }

    [Fact]
    public async Task Opened_Meanwhile_IsToldToo()
    {
        var first = _rig.Open(300);
        var stop = Stop();
        await _rig.PassUntilAsync(() => first.Any(tunnel => tunnel.HasEnded));

        var late = Assert.Single(_rig.Open(1));
        await _rig.PassUntilAsync(stop.IsDone);

        Assert.NotNull(late.Said);
    }

    [Fact]
    public async Task Stop_InMemory_EndsAtOnceWithoutAWord()
    {
        var tunnel = FakeTunnel.Open(_rig.B, _rig.Tunnels, inMemory: true);

        await Wait.UntilAsync(Stop().IsDone);

        Assert.Equal((EndReason.Shutdown, null), (tunnel.EndReason, tunnel.Said));
    }

    [Fact]
    public async Task Stop_WithoutTime_CutsAtOnce()
    {
        _host.ShutdownTimeout = TimeSpan.Zero;
        var tunnels = _rig.Open(3);

        await _shutdown.StoppingAsync(new CancellationToken(canceled: true));
        await _shutdown.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Wait.Bound);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.Shutdown, null), (tunnel.EndReason, tunnel.Said)));
    }

    [Theory]
    [InlineData(30, 15, false)]
    [InlineData(30, 16, true)]
    [InlineData(30, 0, false)]
    [InlineData(5, 0, false)]
    public async Task Started_TimeThatDoesNotDo_IsSaid(int budget, int delay, bool isSaid)
    {
        _host.ShutdownTimeout = TimeSpan.FromSeconds(budget);
        Apply(options => options.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(delay));

        await _shutdown.StartedAsync(CancellationToken.None);

        Assert.Equal(isSaid ? 1 : 0, _log.Collector.GetSnapshot().Count(line => line.Id.Id == EventIds.ShutdownTooShort));
    }

    [Fact]
    public async Task Stopping_DelayOfAllTheTime_IsHalfOfIt()
    {
        Apply(options => options.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(60));
        var (tunnels, began) = (_rig.Open(300), _rig.Clock.GetUtcNow());

        await _rig.PassUntilAsync(Stop().IsDone);

        Assert.All(tunnels, tunnel => Assert.NotNull(tunnel.Said));
        Assert.InRange(tunnels.Min(tunnel => tunnel.SaidAt) - began, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(17));
    }

    // In the delay everything is served, also what waits for a place.
    [Fact]
    public async Task Stopping_Lines_CloseAfterTheDelay()
    {
        Apply(options => options.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(5));
        Assert.Equal(LeaseResult.Granted, _rig.B.TryLease(LeaseKind.Request, int.MaxValue, out var lease));
        _ = lease;
        var (pool, line) = (Fleet.PoolOf(_rig.Registry), Fleet.PoolOf(_rig.Registry).Lines.Requests);
        _rig.B.Configure(1, null, new WorkLimits(MaxRequests: 1));
        var waiter = new Waiter(pool, _rig.B, [], int.MaxValue, null);
        var waiting = line.WaitAsync(waiter, 10, TimeSpan.FromHours(1), CancellationToken.None).AsTask();
        _lifetime.StopApplication();

        var stopping = _shutdown.StoppingAsync(Token());
        _rig.Clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(waiter.Task.IsCompleted);
        await _rig.PassUntilAsync(() => stopping.IsCompleted);

        Assert.Equal(WaitEnd.Closed, await waiting.WaitAsync(Wait.Bound));
    }

    // As the host does: its time begins with the first of these calls.
    private Stopping Stop()
    {
        var token = Token();
        return new Stopping(StopAsync(token));
    }

    private async Task StopAsync(CancellationToken token)
    {
        await _shutdown.StoppingAsync(token);
        await _shutdown.StopAsync(token);
    }

    private CancellationToken Token() => new CancellationTokenSource(Budget, _rig.Clock).Token;

    private void Apply(Action<StickyWsOptions> change)
    {
        var options = Fleet.Options(1, 1);
        change(options);
        _rig.Registry.Apply(options);
    }

    private sealed class Stopping(Task task)
    {
        public bool IsDone() => task.IsFaulted ? throw task.Exception! : task.IsCompleted;
    }
}
