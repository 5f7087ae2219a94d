using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Draining;

/// <summary>What becomes of the tunnels of a backend that is found to be down.</summary>
public sealed class DownBackendsTests : IDisposable
{
    private readonly DrainRig _rig = new();
    private readonly FakeLogger<DownBackends> _log = new();
    private readonly DownBackends _down;

    public DownBackendsTests() => _down = new DownBackends(_rig.Registry, _rig.Tunnels, _log);

    public void Dispose()
    {
        _down.Dispose();
        _rig.Dispose();
    }

    [Fact]
    public async Task Goodbye_TellsAll_Spread()
    {
        Want(DownBackendBehavior.Goodbye);
        var (mine, others) = (_rig.Open(60), _rig.Open(5, backend: A));
        var began = _rig.Clock.GetUtcNow();

        Down();
        await _rig.PassUntilAsync(() => mine.All(tunnel => tunnel.HasEnded));

        Assert.All(mine, tunnel => Assert.Equal((EndReason.BackendDown, 1012, 1), (tunnel.EndReason, tunnel.Said!.Code, tunnel.Words)));
        Assert.InRange(mine.Count(tunnel => tunnel.SaidAt - began < TimeSpan.FromSeconds(15)), 20, 40);
        Assert.All(others, tunnel => Assert.False(tunnel.HasEnded));
        Assert.Equal(["Backend chat/b is down: its 60 tunnels are told to go within 00:00:30"], Lines);
    }

    [Fact]
    public async Task Back_InTheMiddle_TheOthersStay_AndDownAgainNobodyIsToldTwice()
    {
        Want(DownBackendBehavior.Goodbye);
        var tunnels = _rig.Open(100, isStubborn: true);
        Down();
        await _rig.PassUntilAsync(() => tunnels.Count(tunnel => tunnel.Said is not null) >= 40);

        Up();
        await Wait.UntilAsync(() => Lines.Length == 2);
        var told = tunnels.Count(tunnel => tunnel.Said is not null);
        for (var i = 0; i < 300; i++) _rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(told, tunnels.Count(tunnel => tunnel.Said is not null));
        Assert.Equal($"Tunnels of backend chat/b are no longer told to go: {told} were", Lines[1]);

        Down();
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.Said is not null));
        Assert.All(tunnels, tunnel => Assert.Equal(1, tunnel.Words));
        Assert.Equal($"Backend chat/b is down: its {100 - told} tunnels are told to go within 00:00:30", Lines[2]);
    }

    [Fact]
    public async Task Cut_AbortsAll_AtOnce()
    {
        Want(DownBackendBehavior.Cut);
        var tunnels = _rig.Open(20, isStubborn: true);

        Down();
        await Wait.UntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.BackendDown, 0), (tunnel.EndReason, tunnel.Words)));
        Assert.Equal(["Backend chat/b is down: its 20 tunnels were aborted"], Lines);
    }

    [Fact]
    public async Task Keep_IsTheDefault()
    {
        var tunnels = _rig.Open(20);

        Down();
        await MarkAsync();

        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        Want(DownBackendBehavior.Cut); // It is still down.
        await Wait.UntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);
        Assert.Equal("Backend chat/b is down: its 20 tunnels were aborted", Assert.Single(Lines));
    }

    // What clients may have caused is no verdict that ends the tunnels of others.
    [Theory]
    [InlineData(DownBackendBehavior.Goodbye)]
    [InlineData(DownBackendBehavior.Cut)]
    public async Task Suspended_KeepsThem(DownBackendBehavior behavior)
    {
        Want(behavior);
        var tunnels = _rig.Open(20);

        Assert.True(_rig.Registry.TrySuspend(_rig.B, "test"));
        await MarkAsync();

        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        Up();
        Down();
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);
        Assert.Single(Lines);
    }

    // One client's time-outs may open a breaker, while the tunnels of others live.
    [Theory]
    [InlineData(DownBackendBehavior.Goodbye)]
    [InlineData(DownBackendBehavior.Cut)]
    public async Task TrafficAlone_KeepsThem_UntilTheBalancersOwnConnectFails(DownBackendBehavior behavior)
    {
        Want(behavior);
        var tunnels = _rig.Open(20);

        _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "test", isHearsay: true);
        await MarkAsync();
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));

        _rig.Registry.Confirm(_rig.B);
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);
    }

    [Fact]
    public async Task Back_InTheMiddleOfACut_TheOthersStay()
    {
        Want(DownBackendBehavior.Cut);
        var tunnels = _rig.Open(20, isStubborn: true);
        _rig.Tunnels.Ended += _ => Up();

        Down();
        await Wait.UntilAsync(() => Lines.Length > 0);

        Assert.Single(tunnels, tunnel => tunnel.HasEnded);
        Assert.Equal(["Backend chat/b is down: its 1 tunnels were aborted"], Lines);
    }

    [Theory]
    [InlineData(DownBackendBehavior.Goodbye)]
    [InlineData(DownBackendBehavior.Cut)]
    public async Task NobodyElseServes_ItWaitsForOne(DownBackendBehavior behavior)
    {
        Want(behavior, health: true);
        _rig.Registry.Report(A, BackendState.Unhealthy, "test");
        _rig.Registry.Report(_rig.B, BackendState.Healthy, "test");
        var tunnels = _rig.Open(10);

        Down();
        await MarkAsync();
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));

        _rig.Registry.Report(A, BackendState.Healthy, "test");
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);
        Assert.Single(Lines);
    }

    // A verdict is true of a backend before the next snapshot has it: in between, the last one that serves is down and yet among those in use.
    [Theory]
    [InlineData(DownBackendBehavior.Goodbye)]
    [InlineData(DownBackendBehavior.Cut)]
    public async Task NobodyElseServes_AndTheSnapshotIsOlder_ItWaitsForOne(DownBackendBehavior behavior)
    {
        Want(behavior, health: true);
        _rig.Registry.Report(A, BackendState.Unhealthy, "test", isHearsay: true);
        _rig.Registry.Report(_rig.B, BackendState.Healthy, "test");
        var tunnels = _rig.Open(10);

        _rig.B.SetHealth(BackendState.Unhealthy, "test", _rig.Clock.GetUtcNow());
        _rig.Registry.Confirm(A); // Asks for a look, without a snapshot.
        await MarkAsync();
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
        Assert.Empty(Lines);

        _rig.Registry.Report(A, BackendState.Healthy, "test");
        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded) && Lines.Length > 0);
        Assert.Single(Lines);
    }

    [Fact]
    public async Task Stopped_AndThenDown_IsDown()
    {
        Want(DownBackendBehavior.Goodbye);
        var tunnels = _rig.Open(10);
        _rig.Registry.Order([_rig.B], BackendMode.Stop);

        Down();

        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded));
        Assert.All(tunnels, tunnel => Assert.Equal(EndReason.BackendDown, tunnel.EndReason));
    }

    [Fact]
    public async Task Removed_InTheMiddle_GoesOn()
    {
        Want(DownBackendBehavior.Goodbye);
        var tunnels = _rig.Open(50);
        Down();
        await _rig.PassUntilAsync(() => tunnels.Any(tunnel => tunnel.HasEnded));

        _rig.Registry.Apply(Fleet.Options(pool => pool.OnDown = DownBackendBehavior.Goodbye, 1));

        await _rig.PassUntilAsync(() => tunnels.All(tunnel => tunnel.HasEnded));
    }

    [Fact]
    public async Task OneThatThrows_KeepsNobody()
    {
        Want(DownBackendBehavior.Goodbye);
        var broken = _rig.Open(1, isStubborn: true)[0];
        broken.Defect = new InvalidOperationException("defect");
        var others = _rig.Open(20);

        Down();

        await _rig.PassUntilAsync(() => others.All(tunnel => tunnel.HasEnded));
        await _rig.PassUntilAsync(() => broken.Words == 1);
    }

    private Backend A => Fleet.PoolOf(_rig.Registry).Backends[0];

    private string[] Lines => [.. _log.Collector.GetSnapshot().Where(line => line.Id.Id != EventIds.DownBackendFailed).Select(line => line.Message)];

    private void Want(DownBackendBehavior behavior, bool health = false) => _rig.Registry.Apply(Fleet.Options(
        pool =>
        {
            pool.OnDown = behavior;
            if (health) pool.Health.Tcp = new TcpProbeOptions();
        },
        1,
        1));

    private void Down() => _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "test");

    private void Up() => _rig.Registry.Report(_rig.B, BackendState.Healthy, "test");

    // A look is queued for each change, and begins before what is queued later. Whatever it began has its time.
    private async Task MarkAsync()
    {
        var mark = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static mark => mark.SetResult(), mark, preferLocal: false);
        await mark.Task;
        for (var i = 0; i < 300; i++) _rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
    }
}
