using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tests.Backends;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Draining;

public sealed class MaxAgeTests : IDisposable
{
    private readonly DrainRig _rig = new(pool => pool.Tunnels.MaxAge = TimeSpan.FromHours(10));

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Sweep_EndsEachWithinTheLastTenth_WithAGoodbye()
    {
        var (tunnels, began) = (_rig.Open(2000), _rig.Clock.GetUtcNow());

        for (var minute = 0; minute < 601; minute++)
        {
            _rig.Clock.Advance(TimeSpan.FromMinutes(1));
            _rig.Tunnels.EndOverdue();
        }

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.MaxAge, 1012), (tunnel.EndReason, tunnel.Said!.Code)));
        Assert.InRange(tunnels.Min(tunnel => tunnel.SaidAt) - began, TimeSpan.FromHours(9), TimeSpan.FromHours(9.2));
        Assert.InRange(tunnels.Max(tunnel => tunnel.SaidAt) - began, TimeSpan.FromHours(9.8), TimeSpan.FromHours(10.02));
        Assert.InRange(tunnels.Count(tunnel => tunnel.SaidAt - began < TimeSpan.FromHours(9.5)), 700, 1300);
    }

    [Fact]
    public void Sweep_ChangedAge_AppliesToOpenTunnels()
    {
        var tunnels = _rig.Open(10);
        _rig.Clock.Advance(TimeSpan.FromHours(1));
        _rig.Tunnels.EndOverdue();
        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));

        _rig.Registry.Apply(Fleet.Options(pool => pool.Tunnels.MaxAge = TimeSpan.FromHours(1), 1, 1));
        _rig.Tunnels.EndOverdue();

        Assert.All(tunnels, tunnel => Assert.True(tunnel.HasEnded));
    }

    // All of them would come back at once.
    [Fact]
    public void Sweep_LoweredAge_IsSpread_AndEachIsToldOnce()
    {
        var tunnels = _rig.Open(3000, isStubborn: true);
        _rig.Clock.Advance(TimeSpan.FromHours(5));
        _rig.Tunnels.EndOverdue();
        _rig.Registry.Apply(Fleet.Options(pool => pool.Tunnels.MaxAge = TimeSpan.FromHours(1), 1, 1));

        var told = Sweep(tunnels, 29);
        Assert.All(told, count => Assert.InRange(count, 90, 110));
        Assert.InRange(tunnels.Count(tunnel => tunnel.Said is null), 50, 200);
        Sweep(tunnels, 2);

        Assert.All(tunnels, tunnel => Assert.Equal((EndReason.MaxAge, 1), (tunnel.Said!.End, tunnel.Words)));
        Sweep(tunnels, 5);
        Assert.All(tunnels, tunnel => Assert.Equal(1, tunnel.Words));
    }

    [Fact]
    public void Sweep_LoweredAge_LongHandOffs_IsSpreadOverTheirTime()
    {
        var tunnels = _rig.Open(3000);
        _rig.Clock.Advance(TimeSpan.FromHours(5));
        _rig.Registry.Apply(Fleet.Options(pool =>
        {
            (pool.Tunnels.MaxAge, pool.Drain.Over) = (TimeSpan.FromHours(1), TimeSpan.FromSeconds(100));
            pool.Drain.Deadline = TimeSpan.FromSeconds(200);
        }, 1, 1));

        Assert.All(Sweep(tunnels, 50), count => Assert.Equal(30, count));
    }

    // What comes of age as time goes by is not held up by it.
    [Fact]
    public void Sweep_JustOfAge_IsToldAtOnce()
    {
        _rig.Registry.Apply(Fleet.Options(pool => pool.Tunnels.MaxAge = TimeSpan.FromSeconds(100), 1, 1));
        var tunnels = _rig.Open(3000);

        Assert.InRange(Sweep(tunnels, 101).Max(), 200, 400);

        Assert.All(tunnels, tunnel => Assert.True(tunnel.HasEnded));
    }

    [Fact]
    public void Sweep_OneThatThrows_KeepsNobody_AndIsAnErrorOnce()
    {
        var broken = _rig.Open(1, isStubborn: true)[0];
        broken.Defect = new InvalidOperationException("defect");
        var others = _rig.Open(20);
        _rig.Clock.Advance(TimeSpan.FromHours(11));

        Sweep([], 5);

        Assert.All(others, tunnel => Assert.True(tunnel.HasEnded));
        Assert.Single(_rig.TableLog.Collector.GetSnapshot(), line => line is { Level: LogLevel.Error, Id.Id: EventIds.TunnelSweepFailed });
    }

    // Services may stop in any order, or all at once, and tunnels live until the end.
    [Fact]
    public async Task Sweeper_GoesOnUntilAllHaveStopped()
    {
        using var sweeper = new TunnelSweeper(_rig.Tunnels, _rig.Clock);
        await sweeper.StartAsync(CancellationToken.None);
        await sweeper.StoppingAsync(CancellationToken.None);
        await sweeper.StopAsync(CancellationToken.None);
        var tunnel = _rig.Open(1)[0];

        _rig.Clock.Advance(TimeSpan.FromHours(11));
        Assert.True(tunnel.HasEnded);

        await sweeper.StoppedAsync(CancellationToken.None);
        tunnel = _rig.Open(1)[0];
        _rig.Clock.Advance(TimeSpan.FromHours(11));
        Assert.False(tunnel.HasEnded);
    }

    private List<int> Sweep(FakeTunnel[] tunnels, int seconds)
    {
        List<int> told = [];
        for (var second = 0; second < seconds; second++)
        {
            var before = tunnels.Count(tunnel => tunnel.Said is not null);
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
            _rig.Tunnels.EndOverdue();
            told.Add(tunnels.Count(tunnel => tunnel.Said is not null) - before);
        }

        return told;
    }

    [Fact]
    public void Sweep_NoAge_EndsNone()
    {
        _rig.Registry.Apply(Fleet.Options(1, 1));
        var tunnels = _rig.Open(10);

        _rig.Clock.Advance(TimeSpan.FromDays(300));
        _rig.Tunnels.EndOverdue();

        Assert.All(tunnels, tunnel => Assert.False(tunnel.HasEnded));
    }
}
