using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Balancing;

public sealed class LeastConnectionsPolicyTests
{
    private readonly LeastConnectionsPolicy _policy = new();

    [Theory]
    [InlineData(new[] { 1, 1, 1 }, new[] { 3, 1, 2 }, 1)]
    [InlineData(new[] { 1, 1, 1 }, new[] { 0, 1, 2 }, 0)]
    [InlineData(new[] { 1, 1, 1 }, new[] { 5, 4, 3 }, 2)]
    [InlineData(new[] { 4, 1 }, new[] { 3, 1 }, 0)]
    [InlineData(new[] { 4, 1 }, new[] { 5, 1 }, 1)]
    [InlineData(new[] { 256, 1 }, new[] { 255, 1 }, 0)]
    [InlineData(new[] { 256, 1 }, new[] { 257, 1 }, 1)]
    public void Pick_LoadsAndWeights_TakesTheLeastForItsWeightAtAnyTurn(int[] weights, int[] loads, int expected)
    {
        var set = Loaded(LeaseKind.Tunnel, weights, loads);

        Assert.All(Enumerable.Range(0, 300), turn => Assert.Equal(expected, _policy.Pick(set, (uint)turn)));
    }

    [Fact]
    public void Pick_TunnelsAndRequests_AreOneLoad()
    {
        var set = Loaded(LeaseKind.Tunnel, [1, 1], [2, 0]);
        for (var i = 0; i < 3; i++) set[1].TryLease(LeaseKind.Request, 0, out _);

        Assert.Equal(0, _policy.Pick(set, 1));
    }

    [Fact]
    public void Pick_EqualLoads_IsSpreadInTurn()
    {
        Assert.Equal([0, 1, 2, 0], Picks(Fleet.Set(1, 1, 1)));
        Assert.Equal([0, 1, 2, 0], Picks(Loaded(LeaseKind.Tunnel, [1, 1, 1], [7, 7, 7])));

        int[] Picks(BackendSet set) => [.. Enumerable.Range(0, 4).Select(turn => _policy.Pick(set, (uint)turn))];
    }

    [Fact]
    public void Pick_SomeEquallyLight_TakesOnlyThose()
    {
        var set = Loaded(LeaseKind.Tunnel, [1, 1, 1, 1], [2, 1, 2, 1]);

        Assert.All(Enumerable.Range(0, 20), turn => Assert.Contains(_policy.Pick(set, (uint)turn), (int[])[1, 3]));
    }

    [Fact]
    public void Pick_ThenLease_FillsByWeight()
    {
        var set = Fleet.Set(1, 2, 3);

        for (var turn = 0u; turn < 600; turn++) set[_policy.Pick(set, turn)].TryLease(LeaseKind.Tunnel, int.MaxValue, out _);

        Assert.Equal([100, 200, 300], set.Select(backend => backend.ActiveTunnels));
    }

    internal static BackendSet Loaded(LeaseKind kind, int[] weights, int[] loads)
    {
        var set = Fleet.Set(weights);
        for (var place = 0; place < loads.Length; place++)
        {
            for (var i = 0; i < loads[place]; i++) set[place].TryLease(kind, int.MaxValue, out _);
        }

        return set;
    }
}
