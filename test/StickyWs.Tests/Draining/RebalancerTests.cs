using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Draining;
using StickyWs.Frames;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Draining;

/// <summary>Tunnels of crowded backends are told to go, and their clients come back by way of a decision, as all do.</summary>
public sealed class RebalancerTests : IDisposable
{
    private const double Rate = 10;

    private readonly DrainRig _rig = new();
    private readonly ProcessReadiness _readiness = new();
    private readonly FakeLogger<Rebalancer> _log = new();
    private readonly Rebalancer _rebalancer;
    private readonly List<FakeTunnel> _tunnels = [];

    public RebalancerTests() => _rebalancer = new Rebalancer(_rig.Registry, _rig.Tunnels, _readiness, _rig.Metrics, _log);

    public void Dispose()
    {
        _rebalancer.Dispose();
        _rig.Dispose();
    }

    [Fact]
    public void ScaleOut_SurplusMovesToTheNewBackend_AtTheRate_AndOnce()
    {
        Fill(100, 100);
        Apply(_ => { }, 1, 1, 1);

        Pass(10, returns: true);
        Assert.Equal(0, Told);
        for (var second = 0; second < 3; second++)
        {
            var before = Told;
            Pass(1, returns: true);
            Assert.InRange(Told - before, 1, (int)Rate + 1);
        }

        Pass(60, returns: true);
        var told = Told;
        Assert.All(Counts(), count => Assert.InRange(count, 53, 74)); // Their share is 67, and half of the tolerance a tenth.
        Assert.Equal((200, told), (Counts().Sum(), Counts()[2]));
        Pass(600, returns: true);
        Assert.Equal(told, Told);
        Assert.All(Gone, tunnel => Assert.Equal((EndReason.Rebalanced, 1012, "rebalancing"), (tunnel.EndReason, tunnel.Said!.Code, tunnel.Said.Reason)));
        Assert.Equal(
            [
                "Pool chat is rebalanced: 54 tunnels of its crowded backends are told to go",
                $"Pool chat is no longer rebalanced: {told} tunnels were told to go, 0 of their clients did not come back",
            ],
            Lines);
    }

    [Fact]
    public void WithinTolerance_NothingIsTold()
    {
        Fill(119, 100, 81);
        Apply(_ => { }, 1, 1, 1);

        Pass(600, returns: true);

        Assert.Equal((0, 0), (Told, Lines.Count()));
    }

    [Fact]
    public void Weights_AreTheShare()
    {
        Fill(60, 20);
        Apply(_ => { }, 3, 1);
        Pass(60, returns: true);
        Assert.Equal(0, Told);

        Apply(_ => { }, 1, 3);
        Pass(120, returns: true);

        Assert.Equal(80, Counts().Sum());
        Assert.InRange(Counts()[0], 20, 22);
    }

    [Fact]
    public void FewTunnels_NoneGoesBelowItsShare()
    {
        Fill(2, 1);
        Apply(pool => pool.Rebalance.Tolerance = 0.01, 1, 1);
        Pass(60, returns: true);
        Assert.Equal(0, Told);

        Fill(0, 0, 0);
        Apply(pool => pool.Rebalance.Tolerance = 0.01, 1, 1, 1);
        Pass(60, returns: true);
        Assert.Equal((1, "1,1,1"), (Told, string.Join(',', Counts())));
    }

    [Fact]
    public void LongestIdle_IsFirst_AndBusyOnesStay()
    {
        Apply(_ => { }, 1, 1);
        for (var i = 0; i < 10; i++) Open(0, idle: 1999);
        var idle = Enumerable.Range(0, 10).Select(i => Open(0, idle: 2000 + ((i * 7) % 10))).ToArray();

        Pass(15, returns: false);

        var gone = Gone.OrderByDescending(tunnel => tunnel.Idle).ToArray();
        Assert.Equal([.. idle.OrderByDescending(tunnel => tunnel.Idle).Take(9)], gone); // Half of the tolerance is what may stay.
        Assert.Equal([.. gone.Select(tunnel => tunnel.SaidAt).Order()], gone.Select(tunnel => tunnel.SaidAt));
    }

    [Fact]
    public void WithoutFrames_InAFrame_OrTied_TheyStay()
    {
        Apply(_ => { }, 1, 1);
        for (var i = 0; i < 10; i++) FakeTunnel.Open(Backend(0), _rig.Tunnels, idle: 60_000);
        for (var i = 0; i < 10; i++) Open(0).CountToClient([0x82, 5, 1]);
        for (var i = 0; i < 10; i++) Open(0).CountToBackend([0x82]);
        for (var i = 0; i < 10; i++) Open(0).CountToBackend([0x82, 1]); // Not masked: it breaks the framing.
        for (var i = 0; i < 10; i++) Open(0, new Tied(ClientTie.Pinned));
        for (var i = 0; i < 10; i++) Open(0, new Tied(ClientTie.Hashed));

        Pass(60, returns: true);

        Assert.Equal((0, 60), (Told, Counts()[0]));
    }

    [Fact]
    public void Pinned_IfAsked_GoAndAreReleased_HashedOnesStay()
    {
        Apply(pool => pool.Rebalance.Pinned = true, 1, 1);
        var pinned = Enumerable.Range(0, 20).Select(_ => new Tied(ClientTie.Pinned)).ToArray();
        foreach (var tie in pinned) Open(0, tie);
        var hashed = new Tied(ClientTie.Hashed);
        for (var i = 0; i < 10; i++) Open(0, hashed);

        Pass(60, returns: true);

        Assert.Equal(9, Told); // Of the 20 that may go at all; half of the tolerance may stay.
        Assert.Equal((Told, 0), (pinned.Sum(tie => tie.Releases), hashed.Releases));
    }

    [Theory]
    [InlineData("down")]
    [InlineData("drained")]
    [InlineData("full")]
    [InlineData("warming")]
    [InlineData("leaving")]
    public void NowhereBetter_NothingIsTold(string obstacle)
    {
        Fill(50, 0);
        Apply(
            pool =>
            {
                if (obstacle == "full") pool.Backends["b"].MaxTunnels = 1;
                if (obstacle == "drained") pool.Backends["b"].Mode = BackendMode.Stop;
                if (obstacle == "warming") pool.SlowStart = TimeSpan.FromHours(1);
            },
            1,
            1);
        if (obstacle == "full") Open(1);
        if (obstacle is "down" or "warming") _rig.Registry.Report(Backend(1), BackendState.Unhealthy, "test");
        if (obstacle == "warming") _rig.Registry.Report(Backend(1), BackendState.Healthy, "test");
        if (obstacle == "leaving") _readiness.Leave();

        Pass(120, returns: true);

        Assert.Equal((0, 0), (Told, Lines.Count()));
    }

    [Fact]
    public void BackendDies_InTheMiddle_NobodyIsTold_UntilItIsBack()
    {
        Fill(100, 0);
        Apply(_ => { }, 1, 1);
        Pass(12, returns: true);
        var told = Told;
        Assert.InRange(told, 1, 30);

        _rig.Registry.Report(Backend(1), BackendState.Unhealthy, "test");
        Pass(120, returns: true);
        Assert.Equal((told, 2), (Told, Lines.Count()));

        _rig.Registry.Report(Backend(1), BackendState.Healthy, "test");
        Pass(19, returns: true); // The time to settle is twice as long for one that was away.
        Assert.Equal(told, Told);
        Pass(120, returns: true);
        Assert.InRange(Counts()[0], 50, 55);
        Assert.Equal(100, Counts().Sum());
    }

    // What one backend has nobody for is the next one's.
    [Fact]
    public void MostCrowded_HasNobodyWhoMayGo_TheOthersGo()
    {
        Fill(0, 40, 0);
        Apply(_ => { }, 1, 1, 1);
        for (var i = 0; i < 60; i++) FakeTunnel.Open(Backend(0), _rig.Tunnels, idle: 60_000);

        Pass(60, returns: true);

        Assert.Equal((60, 4, 36), (Counts()[0], Told, Counts()[1]));
    }

    // Somebody else would have the place before the client is back.
    [Fact]
    public void ProcessIsNearlyFull_NothingIsTold()
    {
        Fill(49, 0);
        Limit(50);
        Pass(60, returns: true);
        Assert.Equal(0, Told);

        Limit(100);
        Pass(60, returns: true);
        Assert.NotEqual(0, Told);

        void Limit(int tunnels)
        {
            var options = Fleet.Options(pool => pool.Rebalance.Rate = Rate, 1, 1);
            options.MaxTunnels = tunnels;
            _rig.Registry.Apply(options);
        }
    }

    // One client may open many tunnels that its key leads to the same backend.
    [Theory]
    [InlineData(100, 50, 50)]
    [InlineData(100, 0, 100)] // Nor would the pool be more even.
    public void TiedTunnels_AreNoReasonToTellOthers(int tied, int here, int there)
    {
        Fill(here, there);
        Apply(_ => { }, 1, 1);
        for (var i = 0; i < tied; i++) Open(0, new Tied(i % 2 == 0 ? ClientTie.Hashed : ClientTie.Pinned));

        Pass(60, returns: true);
        Assert.Equal(0, Told);

        foreach (var tunnel in _tunnels) tunnel.Abort(EndReason.ClientClosed);
        Assert.Equal((0, 0), (Backend(0).TunnelsWith(ClientTie.Hashed), Backend(0).TunnelsWith(ClientTie.Pinned)));
    }

    // However idle they are: nobody is to lose all of his at once while others keep theirs.
    [Theory]
    [InlineData(100, false)]
    [InlineData(0.5, false)]
    [InlineData(0.5, true)]
    public void ManyOfOneClient_GoInTurnWithThoseOfOthers(double rate, bool isIPv6)
    {
        Apply(pool => pool.Rebalance.Rate = rate, 1, 1);
        var one = Enumerable.Range(1, 20).Select(i => OpenOf(isIPv6 ? $"2001:db8::{i}" : "192.0.2.1", idle: 120_000)).ToArray();
        var two = Enumerable.Range(1, 2).Select(_ => OpenOf("192.0.2.2", idle: 90_000)).ToArray();
        foreach (var i in Enumerable.Range(1, 18)) OpenOf($"198.51.100.{i}");

        Pass(120, returns: true);

        Assert.Equal((18, 1, 1), (Told, one.Count(tunnel => tunnel.Said is not null), two.Count(tunnel => tunnel.Said is not null)));
    }

    [Fact]
    public void ManyOfOneClient_ThatDoNotComeBack_AreNoReasonToStop()
    {
        Apply(_ => { }, 1, 1);
        for (var i = 0; i < 60; i++) OpenOf("192.0.2.1", idle: 120_000);
        for (var i = 1; i <= 60; i++) OpenOf($"198.51.100.{i}");

        for (var step = 0; step < 480; step++)
        {
            var before = OfOthers();
            Pass(Rebalancer.Interval, returns: false);
            for (var back = OfOthers() - before; back > 0; back--) Open(Decide(LeaseKind.Tunnel).Shaken(), 0, isStubborn: false);
        }

        Assert.InRange(Counts()[0], 60, 66);
        Assert.InRange(Counts()[1], 52, 60);
        Assert.Matches("were told to go, [1-3] of their clients did not come back$", Lines.Last());

        int OfOthers() => Gone.Count(tunnel => tunnel.Idle < 120_000);
    }

    // It would send new sessions away from where their clients are to come back.
    [Theory]
    [InlineData("LeastConnections", false)]
    [InlineData("RoundRobin", true)]
    public void PolicyWeighsRequests_TheyCount(string policy, bool isTold)
    {
        Fill(0, 50);
        Apply(pool => pool.Policy = policy, 1, 1);
        var requests = Enumerable.Range(0, 50).Select(_ =>
        {
            Assert.Equal(LeaseResult.Granted, Backend(0).TryLease(LeaseKind.Request, int.MaxValue, out var lease));
            return lease;
        }).ToArray();

        Pass(60, returns: true);

        Assert.Equal(isTold, Told > 0);
        foreach (var request in requests) request.Dispose();
    }

    // As many as were told go to the emptiest, and nobody else: the policy has the others.
    [Fact]
    public void Returns_AreAsManyAsWereTold_PlainRequestsAreNone()
    {
        Fill(40, 0);
        Apply(_ => { }, 1, 1);
        var pool = Fleet.PoolOf(_rig.Registry);
        for (var i = 0; i < 3; i++) pool.Returns.Expect();

        var requests = Enumerable.Range(0, 4).Select(_ => Decide(LeaseKind.Request)).ToArray();
        var tunnels = Enumerable.Range(0, 7).Select(_ => Decide(LeaseKind.Tunnel)).ToArray();

        Assert.Equal(["a", "a", "b", "b"], requests.Select(lease => lease.Backend.Name).Order());
        Assert.Equal(["b", "b", "b"], tunnels.Take(3).Select(lease => lease.Backend.Name));
        Assert.Equal(["a", "a", "b", "b"], tunnels.Skip(3).Select(lease => lease.Backend.Name).Order());
        foreach (var lease in requests.Concat(tunnels)) lease.Dispose();
    }

    [Fact]
    public void Returns_OfHandshakesThatOpenNothing_AreGivenBack()
    {
        Fill(40, 0);
        Apply(_ => { }, 1, 1);
        var pool = Fleet.PoolOf(_rig.Registry);
        pool.Returns.Expect();
        for (var i = 0; i < 3; i++)
        {
            var lease = Decide(LeaseKind.Tunnel);
            Assert.Equal(("b", 0), (lease.Backend.Name, pool.Returns.Expected));
            lease.Shaken().Dispose();
            Assert.Equal(1, pool.Returns.Expected);
        }

        // Also of one that tries all backends.
        var decision = NewDecision(LeaseKind.Tunnel);
        for (var i = 0; i < 2; i++)
        {
            Assert.True(decision.TryNext(out var lease));
            lease.Dispose();
        }

        Assert.False(decision.TryNext(out _));
        Assert.Equal(1, pool.Returns.Expected);

        Open(Decide(LeaseKind.Tunnel).Shaken(), 0, isStubborn: false).Abort(EndReason.ClientClosed);
        Assert.Equal(0, pool.Returns.Expected);
    }

    // It has come back, wherever there is a place for it. Nobody else is to be taken for it.
    [Fact]
    public async Task Returns_OfOneThatWaitedForAPlace_IsOne()
    {
        Fill(40, 0);
        Apply(pool => { foreach (var backend in pool.Backends.Values) backend.MaxHandshakes = 1; }, 1, 1);
        var pool = Fleet.PoolOf(_rig.Registry);
        var held = pool.Backends.Select(backend => Held(backend)).ToArray();
        pool.Returns.Expect();
        for (var round = 0; round < 2; round++)
        {
            var decision = NewDecision(LeaseKind.Tunnel);
            Assert.False(decision.TryNext(out _));
            Assert.Equal((NoBackendReason.Busy, 1), (decision.Why, pool.Returns.Expected));
            var waiting = decision.WaitAsync(CancellationToken.None).AsTask();
            Assert.False(waiting.IsCompleted);
            held[0].Dispose();

            var lease = (await waiting.WaitAsync(Wait.Token()))!.Value;

            Assert.Equal(0, pool.Returns.Expected);
            if (round == 0) lease.Dispose(); // Its handshake failed: it may come again.
            else Open(lease.Shaken(), 0, isStubborn: false).Abort(EndReason.ClientClosed);
            Assert.Equal(1 - round, pool.Returns.Expected);
            held[0] = round == 0 ? Held(pool.Backends[0]) : default;
        }

        held[1].Dispose();

        static Lease Held(Backend backend)
        {
            Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
            return lease;
        }
    }

    [Fact]
    public void ToldAndLost_AreOfTheSameRuns()
    {
        Fill(2, 0);
        var pool = Fleet.PoolOf(_rig.Registry);
        var state = new PoolRebalance(_rig.Clock);
        state.NoteTold(_tunnels[0], pool);
        state.Close();
        state.NoteTold(_tunnels[1], pool);
        Assert.Equal((2, 0), (state.Told, state.Lost));

        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        state.Step(pool, mayTell: true, _rig.Tunnels.Holds, out _);
        Assert.Equal((2, 2), (state.Told, state.Lost));
        state.NoteTold(_tunnels[1], pool);
        Assert.Equal((1, 0), (state.Told, state.Lost));
    }

    [Fact]
    public void BackendComesAndGoes_ThePauseGoesOn()
    {
        Fill(100, 0);
        Apply(_ => { }, 1, 1);
        Pass(60, returns: false);
        var told = Told;
        Assert.InRange(told, 1, 45);

        _rig.Registry.Report(Backend(1), BackendState.Unhealthy, "test");
        Pass(1, returns: false);
        _rig.Registry.Report(Backend(1), BackendState.Healthy, "test");
        Pass(300, returns: false);

        Assert.Equal(told, Told);
    }

    // Telling clients that do not come back would close tunnels, and balance nothing.
    [Fact]
    public void ClientsThatDoNotComeBack_EndIt()
    {
        Fill(100, 0);
        Apply(_ => { }, 1, 1);

        Pass(300, returns: false);

        Assert.Equal((45, 2), (Told, Lines.Count()));
        Assert.Matches("^Pool chat is no longer rebalanced: 45 tunnels were told to go, 2[3-9] of their clients did not come back$", Lines.Last());
        Assert.Equal(0, Fleet.PoolOf(_rig.Registry).Returns.Expected);
    }

    [Fact]
    public void StubbornTunnels_AreToldOnce_AndAreNoLongerCounted()
    {
        Apply(_ => { }, 1, 1);
        for (var i = 0; i < 20; i++) Open(0, isStubborn: true);

        Pass(25, returns: false);

        Assert.Equal((9, 20), (_tunnels.Count(tunnel => tunnel.Said is not null), Counts()[0]));
        Assert.All(_tunnels, tunnel => Assert.InRange(tunnel.Words, 0, 1));
    }

    [Fact]
    public void Reloads_InTheMiddle_ChangeNothing_CountsStayExact()
    {
        Fill(100, 100);
        Apply(_ => { }, 1, 1, 1);
        for (var i = 1; i <= 100; i++)
        {
            Apply(pool => pool.RetryAfter = TimeSpan.FromSeconds(i), 1, 1, 1);
            Pass(1, returns: true);
            Assert.Equal(_tunnels.Count(tunnel => !tunnel.HasEnded), Counts().Sum());
        }

        Assert.Equal(200, Counts().Sum());
        Assert.All(Counts(), count => Assert.InRange(count, 53, 74));
        Assert.Equal(2, Lines.Count());
        foreach (var tunnel in _tunnels) tunnel.Abort(EndReason.ClientClosed);
        Assert.All(Counts(), count => Assert.Equal(0, count));
    }

    [Fact]
    public void SwitchedOff_InTheMiddle_Stops()
    {
        Fill(100, 0);
        Apply(_ => { }, 1, 1);
        Pass(12, returns: false);
        var told = Told;
        Assert.InRange(told, 1, 30);

        Apply(pool => pool.Rebalance.Rate = null, 1, 1);
        Pass(60, returns: false);

        Assert.Equal((told, 2, 0), (Told, Lines.Count(), Fleet.PoolOf(_rig.Registry).Returns.Expected));
        Apply(_ => { }, 1, 1);
        Pass(12, returns: true);
        Assert.True(Told > told);
    }

    [Fact]
    public void OneThatThrows_KeepsNobody()
    {
        Apply(_ => { }, 1, 1);
        var broken = Open(0);
        broken.Defect = new InvalidOperationException("defect");
        for (var i = 0; i < 20; i++) Open(0);

        Pass(60, returns: true);

        Assert.InRange(Counts()[0], 10, 12);
        Assert.Contains(_log.Collector.GetSnapshot(), line => line.Id.Id == EventIds.RebalanceFailed);
    }

    private IEnumerable<string> Lines => _log.Collector.GetSnapshot().Select(line => line.Message);

    private FakeTunnel[] Gone => [.. _tunnels.Where(tunnel => tunnel.Said is not null)];

    private int Told => Gone.Length;

    private Backend Backend(int place) => Fleet.PoolOf(_rig.Registry).Backends[place];

    private int[] Counts() => [.. Fleet.PoolOf(_rig.Registry).Backends.Select(backend => backend.ActiveTunnels)];

    private void Apply(Action<PoolOptions> change, params int[] weights) => _rig.Registry.Apply(Fleet.Options(
        pool =>
        {
            pool.Rebalance.Rate = Rate;
            change(pool);
        },
        weights));

    private void Fill(params int[] counts)
    {
        _rig.Registry.Apply(Fleet.Options([.. counts.Select(_ => 1)]));
        for (var place = 0; place < counts.Length; place++)
        {
            for (var i = 0; i < counts[place]; i++) Open(place);
        }
    }

    private FakeTunnel Open(int place, ILeaseEnd? end = null, long idle = 60_000, bool isStubborn = false)
    {
        Assert.Equal(LeaseResult.Granted, Backend(place).TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease, end));
        return Open(lease.Shaken(), idle, isStubborn);
    }

    private FakeTunnel OpenOf(string client, long idle = 60_000)
    {
        Assert.Equal(LeaseResult.Granted, Backend(0).TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        return Open(lease.Shaken(), idle, isStubborn: false, IPAddress.Parse(client));
    }

    private FakeTunnel Open(Lease lease, long idle, bool isStubborn, IPAddress? client = null)
    {
        var tunnel = FakeTunnel.OpenFramed(lease, _rig.Tunnels, idle, client, isStubborn);
        _tunnels.Add(tunnel);
        return tunnel;
    }

    private Decision NewDecision(LeaseKind kind)
    {
        var runner = new PolicyRunner(new RoundRobinPolicy(), NullLogger<PolicyRunner>.Instance);
        return new Decision(Fleet.PoolOf(_rig.Registry), kind, runner, int.MaxValue);
    }

    private Lease Decide(LeaseKind kind)
    {
        Assert.True(NewDecision(kind).TryNext(out var lease));
        return lease;
    }

    // Fake tunnels are asked on the timer's thread, so a step is over when the clock has moved.
    private void Pass(int seconds, bool returns) => Pass(TimeSpan.FromSeconds(seconds), returns);

    private void Pass(TimeSpan time, bool returns)
    {
        for (var step = 0; step < time / Rebalancer.Interval; step++)
        {
            var before = Told;
            _rig.Clock.Advance(Rebalancer.Interval);
            for (var back = Told - before; returns && back > 0; back--) Open(Decide(LeaseKind.Tunnel).Shaken(), 60_000, isStubborn: false);
        }
    }

    private sealed class Tied(ClientTie tie) : ILeaseEnd
    {
        public int Releases { get; private set; }

        public ClientTie Tie => tie;

        public void LeaseEnded(Backend backend)
        {
        }

        public void Release(Backend backend) => Releases++;
    }
}
