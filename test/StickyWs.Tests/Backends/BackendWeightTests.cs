using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Tests.Backends;

/// <summary>Weights: by the configuration and by orders, of which the last counts. And what is kept of verdicts and probes.</summary>
public sealed class BackendWeightTests
{
    private readonly FakeLogger<BackendRegistry> _log = new();
    private readonly BackendRegistry _registry;
    private int _changes;

    public BackendWeightTests()
    {
        _registry = Fleet.Registry(Fleet.Options(1, 1), _log);
        _registry.Changed += _ => _changes++;
    }

    private Backend B => Fleet.PoolOf(_registry).Backends[1];

    [Fact]
    public void Order_Weight_ChangesTheRotationAtOnce_AndIsTold()
    {
        _registry.OrderWeight([B], 3);

        Assert.Equal((3, 1, 3000), (B.Weight, B.ConfiguredWeight, B.FineWeight));
        var set = Fleet.PoolOf(_registry).Eligible;
        Assert.Equal(3, Enumerable.Range(0, 4).Count(turn => set[set.InTurn((uint)turn)] == B));
        Assert.Equal(("BackendWeightChanged", 1), (_log.LatestRecord.Id.Name, _changes));
    }

    [Fact]
    public void Order_Weight_OutlivesReloads_UntilTheWeightIsEdited()
    {
        _registry.OrderWeight([B], 3);
        Apply(1, pool => pool.RetryAfter = TimeSpan.FromSeconds(9));
        Assert.Equal((3, 1), (B.Weight, B.ConfiguredWeight));

        Apply(5);
        Assert.Equal((5, 5), (B.Weight, B.ConfiguredWeight));

        Apply(1);
        Assert.Equal((1, 1), (B.Weight, B.ConfiguredWeight));
    }

    [Fact]
    public void Order_NoWeight_GoesBackToTheConfiguration()
    {
        _registry.OrderWeight([B], 3);
        Apply(1);

        _registry.OrderWeight([B], null);

        Assert.Equal(1, B.Weight);
    }

    [Fact]
    public void Order_TheSameWeight_ChangesNothing()
    {
        var before = _registry.Current;

        _registry.OrderWeight([B], 1);
        _registry.OrderWeight([B], null);

        Assert.Same(before, _registry.Current);
    }

    [Fact]
    public void Order_Weight_OfAnother_LeavesTheFirstAlone()
    {
        _registry.OrderWeight([B], 3);
        _registry.OrderWeight([Fleet.PoolOf(_registry).Backends[0]], 7);

        Assert.Equal([7, 3], Fleet.PoolOf(_registry).Backends.Select(backend => backend.Weight));
    }

    [Fact]
    public void Report_Unhealthy_IsKeptAsAConviction_UntilItIsTakenBack_AndAfter()
    {
        Assert.Null(B.Conviction);

        _registry.Report(B, BackendState.Unhealthy, "probe: status 500");
        Assert.Equal(("probe: status 500", null, false), (B.Conviction!.Cause, B.Conviction.Until, B.Conviction.IsHearsay));

        _registry.Report(B, BackendState.Healthy, "probe: a good one");
        Assert.Equal("probe: status 500", B.Conviction.Cause);
        Assert.Equal(B.StateSince, B.Conviction.Until);

        _registry.Report(B, BackendState.Unhealthy, "traffic: refused", isHearsay: true);
        Assert.Equal(("traffic: refused", null, true), (B.Conviction.Cause, B.Conviction.Until, B.Conviction.IsHearsay));
    }

    [Fact]
    public void Probes_TheLastOnes_AreKept_TheOldestFirst()
    {
        var probes = new ProbeHistory();
        for (var i = 0; i < 45; i++) probes.Add(new ProbeRecord(default, TimeSpan.FromSeconds(i), null, IsVoid: false));

        Assert.Equal(Enumerable.Range(15, ProbeHistory.Most), probes.Read().Select(probe => (int)probe.Took.TotalSeconds));
    }

    private void Apply(int weight, Action<PoolOptions>? change = null) => _registry.Apply(Fleet.Options(change ?? (_ => { }), 1, weight));
}
