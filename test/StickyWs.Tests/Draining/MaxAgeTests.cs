using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tests.Backends;

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
