using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Tests.Backends;

/// <summary>What backends get: by the configuration and by orders, of which the last counts.</summary>
public sealed class BackendModeTests
{
    private readonly BackendRegistry _registry = Fleet.Registry(Fleet.Options(1, 1));
    private readonly List<string> _turned = [];

    public BackendModeTests() => _registry.Turned += backend => _turned.Add($"{backend.Name} {backend.Mode}");

    private Backend B => Fleet.PoolOf(_registry).Backends[1];

    [Theory]
    [InlineData(true, BackendMode.On, BackendMode.On)]
    [InlineData(false, BackendMode.On, BackendMode.Stop)]
    [InlineData(false, BackendMode.Stop, BackendMode.Stop)]
    [InlineData(false, BackendMode.HandOff, BackendMode.HandOff)]
    [InlineData(true, BackendMode.Cut, BackendMode.Cut)]
    public void Apply_ModeAndEnabled_TheOneThatLeavesItLessCounts(bool isEnabled, BackendMode mode, BackendMode expected)
    {
        Apply(pool => (pool.Backends["b"].Enabled, pool.Backends["b"].Mode) = (isEnabled, mode));

        Assert.Equal(expected, B.Mode);
        Assert.Equal(expected == BackendMode.On ? ["a", "b"] : ["a"], Fleet.Names(Fleet.PoolOf(_registry).Eligible));
    }

    [Fact]
    public void Apply_OtherMode_IsToldOnce()
    {
        Apply(pool => pool.Backends["b"].Mode = BackendMode.HandOff);
        Apply(pool => pool.Backends["b"].Mode = BackendMode.HandOff);

        Assert.Equal(["b HandOff"], _turned);
    }

    [Fact]
    public void Order_OutlivesReloads_UntilTheModeIsEdited()
    {
        _registry.Order([B], BackendMode.HandOff);
        Apply(pool => pool.RetryAfter = TimeSpan.FromSeconds(9));

        Assert.Equal((BackendMode.HandOff, "order"), (B.Mode, B.ModeCause));
        Assert.Equal(["a"], Fleet.Names(Fleet.PoolOf(_registry).Eligible));

        Apply(pool => pool.Backends["b"].Mode = BackendMode.Stop);

        Assert.Equal((BackendMode.Stop, "configuration"), (B.Mode, B.ModeCause));
        Assert.Equal(["b HandOff", "b Stop"], _turned);
    }

    [Fact]
    public void Order_On_OverridesTheConfiguration_AtOnce()
    {
        Apply(pool => pool.Backends["b"].Mode = BackendMode.Cut);

        _registry.Order([B], BackendMode.On);

        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(_registry).Eligible));
        Assert.Equal(BackendState.Unknown, B.State);
    }

    [Fact]
    public void Order_Again_ChangesNothing()
    {
        _registry.Order([B], BackendMode.Stop);
        var before = _registry.Current;

        _registry.Order([B], BackendMode.Stop);

        Assert.Same(before, _registry.Current);
        Assert.Equal(["b Stop"], _turned);
    }

    [Theory]
    [InlineData(RemovedBackendBehavior.Keep, BackendMode.Stop)]
    [InlineData(RemovedBackendBehavior.HandOff, BackendMode.HandOff)]
    [InlineData(RemovedBackendBehavior.Cut, BackendMode.Cut)]
    public void Apply_Removed_IsStoppedAtLeast_AndDoesNotComeBackByAnOrder(RemovedBackendBehavior behavior, BackendMode expected)
    {
        var b = B;

        _registry.Apply(Fleet.Options(pool => pool.Drain.WhenRemoved = behavior, 1));

        Assert.Equal(expected, b.Mode);
        _registry.Order([b], BackendMode.On);
        Assert.Equal(BackendMode.Stop, b.Mode);
    }

    [Fact]
    public void Apply_RemovedWhileHandedOff_GoesOn()
    {
        var b = B;
        _registry.Order([b], BackendMode.HandOff);

        _registry.Apply(Fleet.Options(1));

        Assert.Equal(BackendMode.HandOff, b.Mode);
        Assert.Equal(["b HandOff"], _turned);
    }

    [Fact]
    public void WhenIdle_LastLeaseOfEitherKind_IsTold()
    {
        List<(int Tunnels, int Requests)> idle = [];
        B.WhenIdle(backend => idle.Add((backend.ActiveTunnels, backend.ActiveRequests)));
        Assert.Equal(LeaseResult.Granted, B.TryLease(LeaseKind.Tunnel, int.MaxValue, out var tunnel));
        Assert.Equal(LeaseResult.Granted, B.TryLease(LeaseKind.Tunnel, int.MaxValue, out var other));
        Assert.Equal(LeaseResult.Granted, B.TryLease(LeaseKind.Request, int.MaxValue, out var request));

        tunnel.Dispose();
        other.Dispose();
        request.Dispose();
        B.WhenIdle(null);
        Assert.Equal(LeaseResult.Granted, B.TryLease(LeaseKind.Request, int.MaxValue, out request));
        request.Dispose();

        Assert.Equal([(0, 1), (0, 0)], idle);
    }

    private void Apply(Action<PoolOptions> change) => _registry.Apply(Fleet.Options(change, 1, 1));
}
