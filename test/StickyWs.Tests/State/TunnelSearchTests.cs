using System.Net;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.State;
using StickyWs.Tests.Backends;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.State;

public sealed class TunnelSearchTests : IDisposable
{
    private readonly StateRig _rig = new(Fleet.Options(1, 1));
    private readonly StickyWsState _state;

    public TunnelSearchTests() => _state = new StickyWsState(_rig.Registry, _rig.Tunnels);

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData(TunnelOrder.Oldest, "1 2 3 4")]
    [InlineData(TunnelOrder.Newest, "4 3 2 1")]
    [InlineData(TunnelOrder.Idlest, "2 1 4 3")]
    [InlineData(TunnelOrder.Busiest, "3 4 1 2")]
    [InlineData(TunnelOrder.Client, "4 2 1 3")]
    [InlineData(TunnelOrder.Backend, "2 4 1 3")]
    [InlineData(TunnelOrder.Pin, "3 1 4 2")]
    [InlineData(TunnelOrder.Lane, "1 2 3 4")]
    [InlineData(TunnelOrder.Oldest, "4 3 2 1", true)]
    [InlineData(TunnelOrder.Client, "3 1 2 4", true)]
    public async Task Find_InAnOrder_ShowsItPageByPage(TunnelOrder order, string expected, bool isReversed = false)
    {
        string[] clients = ["10.0.0.9:3", "10.0.0.9:1", "10.0.0.10:2", "9.0.0.1:9"];
        UInt128[] pins = [5, 9, 0, 7];
        int[] idle = [500, 900, 0, 100];
        int[] bytes = [2, 1, 9, 5];
        for (var i = 0; i < 4; i++)
        {
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
            Open($"{i + 1}", clients[i], idle: idle[i], place: (i + 1) % 2, pin: pins[i]).CountToBackend(bytes[i]);
        }

        List<string> seen = [];
        string? after = null;
        do
        {
            var page = await _state.FindTunnelsAsync(new TunnelFilter { Limit = 3 }, order, after, isReversed, Wait.Token());
            Assert.Equal((4, 4), (page.Open, page.Fitting));
            seen.AddRange(page.Tunnels.Select(tunnel => tunnel.Id));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(expected, string.Join(' ', seen));
    }

    // A look keeps what it shows, and not all that it looks at.
    [Fact]
    public async Task Look_AtMany_AllocatesForWhatIsShown_AndNothingForTheRest()
    {
        // The least of some: an array may have to be made again that was lent before.
        long Least(TunnelOrder order) => Enumerable.Range(0, 5).Min(_ => Allocated(order));

        long Allocated(TunnelOrder order)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(_state.FindTunnelsAsync(new TunnelFilter { Limit = 10 }, order, cancellationToken: Wait.Token()).IsCompletedSuccessfully);
            Assert.True(_state.CountTunnelsAsync(cancellationToken: Wait.Token()).IsCompletedSuccessfully);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        TunnelOrder[] orders = [TunnelOrder.Sampled, TunnelOrder.Newest, TunnelOrder.Oldest, TunnelOrder.Busiest];
        for (var i = 0; i < 4000; i++) Open($"0HN{i:D5}");
        var few = orders.Max(Least);
        for (var i = 4000; i < 8000; i++) Open($"0HN{i:D5}");

        Assert.All(orders, order => Assert.InRange(Least(order), 0, few + 1000));
        Assert.Equal(8000, (await _state.FindTunnelsAsync(new TunnelFilter { Limit = 0 }, cancellationToken: Wait.Token())).Fitting);
    }

    // All at the same moment: their ids tell them apart.
    [Fact]
    public async Task Find_AfterATunnelThatHasEnded_GoesOnWhereItWas()
    {
        var all = Enumerable.Range(0, 9).Select(i => Open($"{i}")).ToArray();
        var first = await _state.FindTunnelsAsync(new TunnelFilter { Limit = 4 }, cancellationToken: Wait.Token());
        _rig.Tunnels.Close(all[3]);
        _rig.Tunnels.Close(all[0]);

        var second = await _state.FindTunnelsAsync(new TunnelFilter { Limit = 9 }, after: first.Next, cancellationToken: Wait.Token());

        Assert.Equal("4 5 6 7 8", string.Join(' ', second.Tunnels.Select(tunnel => tunnel.Id)));
        Assert.Equal((7, 7, null), (second.Open, second.Fitting, second.Next));
    }

    [Fact]
    public async Task Find_ByClientUpstreamAgeAndIdleTime_FindsThat()
    {
        Open("old", "10.0.0.1:1000", "10.1.0.1:500", idle: 5000);
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Open("new", "10.0.0.2:1000", "10.1.0.1:501", idle: 10);
        Open("mapped", "[::ffff:10.0.0.3]:1001", "[::ffff:10.1.0.1]:502", idle: 10);
        Open("none", null, null);

        Assert.Equal("mapped new old", await FoundAsync(new TunnelFilter { Client = IPNetwork.Parse("10.0.0.0/24") }));
        Assert.Equal("mapped", await FoundAsync(new TunnelFilter { Client = IPNetwork.Parse("10.0.0.3/32") }));
        Assert.Equal("new old", await FoundAsync(new TunnelFilter { ClientPort = 1000 }));
        Assert.Equal("new", await FoundAsync(new TunnelFilter { Upstream = IPEndPoint.Parse("10.1.0.1:501") }));
        Assert.Equal("mapped", await FoundAsync(new TunnelFilter { Upstream = IPEndPoint.Parse("10.1.0.1:502") }));
        Assert.Equal("mapped new old", await FoundAsync(new TunnelFilter { Upstream = IPEndPoint.Parse("10.9.9.9:80") }));
        Assert.Equal("old", await FoundAsync(new TunnelFilter { MinAge = TimeSpan.FromSeconds(30) }));
        Assert.Equal("old", await FoundAsync(new TunnelFilter { MinIdle = TimeSpan.FromSeconds(5) }));
        Assert.Equal("none", await FoundAsync(new TunnelFilter { Id = "none" }));
        Assert.Equal("", await FoundAsync(new TunnelFilter { Id = "none", Client = IPNetwork.Parse("0.0.0.0/0") }));
    }

    [Fact]
    public async Task Find_ByPinTieListenerAgeAndIdleTime_FindsThat()
    {
        var pin = UInt128.Parse("4bf92f3577b34da6a3ce929d0e0e4736", System.Globalization.NumberStyles.HexNumber, null);
        Open("old", "10.0.0.1:1000", "10.1.0.1:500", idle: 5000, pin: pin);
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Open("new", "10.0.0.2:1000", "10.1.0.1:501", idle: 10, pin: pin + 1, place: 1);
        Open("none", null, null);

        Assert.Equal("new old", await FoundAsync(new TunnelFilter { Pin = "4bf9" }));
        Assert.Equal("old", await FoundAsync(new TunnelFilter { Pin = "4BF92F3577b34da6a3ce929d0e0e4736" }));
        Assert.Equal("", await FoundAsync(new TunnelFilter { Pin = "0000" })); // Without a pin is not with one of zeros.
        Assert.Equal("new old", await FoundAsync(new TunnelFilter { Tie = TunnelTie.Pinned }));
        Assert.Equal("none", await FoundAsync(new TunnelFilter { Tie = TunnelTie.None }));
        Assert.Equal("new old", await FoundAsync(new TunnelFilter { Local = IPNetwork.Parse("10.9.9.9/32"), LocalPort = 80 }));
        Assert.Equal("", await FoundAsync(new TunnelFilter { LocalPort = 81 }));
        Assert.Equal("new none", await FoundAsync(new TunnelFilter { MaxAge = TimeSpan.FromSeconds(30) }));
        Assert.Equal("new none", await FoundAsync(new TunnelFilter { MaxIdle = TimeSpan.FromSeconds(1) }));
        Assert.Equal("new none old", await FoundAsync(new TunnelFilter { Lane = "portable" }));
        Assert.Equal("", await FoundAsync(new TunnelFilter { Lane = "epoll" }));
        Assert.Equal("", await FoundAsync(new TunnelFilter { Lane = "tls" }));
        await Assert.ThrowsAsync<ArgumentException>(() => _state.FindTunnelsAsync(new TunnelFilter { Pin = "secret" }));
    }

    [Fact]
    public async Task Find_Tunnel_ShowsTheBeginningOfItsPin()
    {
        Open("1", pin: UInt128.Parse("4bf92f3577b34da6a3ce929d0e0e4736", System.Globalization.NumberStyles.HexNumber, null));

        var found = Assert.Single((await _state.FindTunnelsAsync(cancellationToken: Wait.Token())).Tunnels);

        Assert.Equal(("4bf92f35", TunnelTie.Pinned, "none"), (found.Pin, found.Tie, found.Tls));
    }

    [Fact]
    public async Task Find_Rates_AreSinceTheLookBefore_AndSortAndFilter()
    {
        var (slow, fast) = (Open("slow"), Open("fast"));
        Assert.All((await FastestAsync()).Tunnels, tunnel => Assert.Null(tunnel.RateToBackend));

        slow.CountToBackend(100);
        fast.CountToBackend(10_000);
        fast.CountToClient(2_000);
        _rig.Clock.Advance(TimeSpan.FromSeconds(2));
        var page = await FastestAsync();

        Assert.Equal([("fast", 5000, 1000), ("slow", 50, 0)],
            page.Tunnels.Select(tunnel => (tunnel.Id, tunnel.RateToBackend!.Value, tunnel.RateToClient!.Value)));
        Assert.Equal("fast", await FoundAsync(new TunnelFilter { MinRate = 51 }));

        _rig.Clock.Advance(TimeSpan.FromMilliseconds(999)); // Who looks right after another sees the same.
        Assert.Equal(5000, (await FastestAsync()).Tunnels[0].RateToBackend);
        _rig.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.All((await FastestAsync()).Tunnels, tunnel => Assert.Equal(0, tunnel.RateToBackend));

        Task<TunnelPage> FastestAsync() => _state.FindTunnelsAsync(new TunnelFilter { Limit = 9 }, TunnelOrder.Fastest, cancellationToken: Wait.Token());
    }

    // Of 1,000, half of them of each backend: what the sample says about them is near the truth, and it stays.
    [Fact]
    public async Task Find_Sampled_IsEvenAndStable()
    {
        var all = Enumerable.Range(0, 1000).Select(i => Open($"0HN{i:D4}", place: i % 2)).ToArray();
        var filter = new TunnelFilter { Limit = 200 };
        var first = await _state.FindTunnelsAsync(filter, TunnelOrder.Sampled, cancellationToken: Wait.Token());
        Assert.Equal((200, 1000, 1000), (first.Tunnels.Count, first.Fitting, first.Open));
        Assert.InRange(first.Tunnels.Count(tunnel => tunnel.Backend == "a"), 70, 130);
        for (var part = 0; part < 4; part++) Assert.InRange(first.Tunnels.Count(tunnel => int.Parse(tunnel.Id[3..], null) / 250 == part), 25, 80);

        foreach (var tunnel in all.Where((_, i) => i % 10 == 0)) _rig.Tunnels.Close(tunnel);
        var second = await _state.FindTunnelsAsync(filter, TunnelOrder.Sampled, cancellationToken: Wait.Token());

        var left = first.Tunnels.Select(tunnel => tunnel.Id).Where(id => !id.EndsWith('0')).ToHashSet();
        Assert.Subset(second.Tunnels.Select(tunnel => tunnel.Id).ToHashSet(), left);
    }

    [Fact]
    public async Task Count_Flows_AreByListenerBackendAndLane_TheLargestFirst()
    {
        for (var i = 0; i < 3; i++) Open($"{i}", $"10.0.0.{i}:1000", place: 1).CountToBackend(5);
        Open("3", "10.0.0.3:1000").CountToClient(7);
        Open("4");

        var found = await _state.CountTunnelsAsync(cancellationToken: Wait.Token());

        Assert.Equal((5, 5), (found.Open, found.Fitting));
        Assert.Equal([("10.9.9.9:80", "b", 3, 15, 0), ("10.9.9.9:80", "a", 1, 0, 7), (null, "a", 1, 0, 0)],
            found.Flows.Select(flow => (flow.Listener?.ToString(), flow.Backend, flow.Tunnels, flow.BytesToBackend, flow.BytesToClient))
                .OrderByDescending(flow => flow.Tunnels).ThenByDescending(flow => flow.Item1));
        Assert.Equal(3, Assert.Single((await _state.CountTunnelsAsync(new TunnelFilter { Backend = "b" }, Wait.Token())).Flows).Tunnels);
    }

    [Fact]
    public async Task Count_FlowsToABackend_AreOne_ThoughAReloadMovedItToAnotherAddress()
    {
        Open("before", "10.0.0.1:1000").CountToBackend(1);
        var options = Fleet.Options();
        options.Pools[Fleet.Pool].Backends["A"] = new BackendOptions { Address = "http://127.0.0.1:6000" };
        _rig.Registry.Apply(options);
        Open("after", "10.0.0.2:1000").CountToBackend(2);

        var flow = Assert.Single((await _state.CountTunnelsAsync(cancellationToken: Wait.Token())).Flows);

        Assert.Equal((2, 3), (flow.Tunnels, flow.BytesToBackend));
    }

    // Each is asked a little later than the one before.
    [Fact]
    public async Task Find_Idlest_IsByTheMomentThatEachLastMoved_HoweverLongTheLookTakes()
    {
        _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        for (var i = 0; i < 9; i++) Open($"{i}", asked: () => _rig.Clock.Advance(TimeSpan.FromMilliseconds(50)), stillSince: i);

        var page = await _state.FindTunnelsAsync(new TunnelFilter { Limit = 9 }, TunnelOrder.Idlest, cancellationToken: Wait.Token());

        Assert.Equal("0 1 2 3 4 5 6 7 8", string.Join(' ', page.Tunnels.Select(tunnel => tunnel.Id)));
    }

    [Fact]
    public async Task Find_ManyAtATime_LookInTurn()
    {
        var (asked, answer) = (0, new TaskCompletionSource());
        Open("1", upstream: "10.1.0.1:500", asked: () => asked++, answered: answer.Task);
        var filter = new TunnelFilter { Upstream = IPEndPoint.Parse("10.1.0.1:500") };
        using var gone = new CancellationTokenSource();

        var looks = Enumerable.Range(0, 5).Select(i => _state.FindTunnelsAsync(filter, cancellationToken: i == 4 ? gone.Token : Wait.Token())).ToArray();
        Assert.Equal(2, asked); // The others have not begun.
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => looks[4]);
        answer.SetResult();

        foreach (var look in looks[..4]) Assert.Equal(1, (await look).Fitting);
    }

    // Tunnels open and close while a search thinks.
    [Fact]
    public void Find_WhatFits_IsAskedOutsideTheLock()
    {
        Open("1");
        var isFree = false;

        _rig.Tunnels.Find(tunnel =>
        {
            var other = new Thread(() => _ = _rig.Tunnels.Count);
            other.Start();
            return isFree = other.Join(Wait.Bound);
        }, 1);

        Assert.True(isFree);
    }

    // Others have bytes to move in between.
    [Fact]
    public async Task Idleness_OfMany_IsReadInTurns()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There are no reactors.");
        using var reactor = new EpollReactor(0, exception => Assert.Fail(exception.ToString()));
        reactor.Start();
        var (read, seen) = (0, -1);
        for (var i = 0; i < 1000; i++) Open($"{i}", reactor: reactor, asked: Ask);

        await Idleness.ReadAsync(_rig.Tunnels.Find(_ => true, int.MaxValue), TimeProvider.System);

        Assert.InRange(seen, 1, 999);

        void Ask()
        {
            if (++read > 1) return;
            var other = new Thread(() => reactor.Run(() => seen = read)); // From here it would run at once.
            other.Start();
            other.Join();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("MQ")] // "1", without an id.
    [InlineData("eCB5")] // "x y".
    [InlineData("\0")]
    public async Task Find_AfterWhatIsNoPlace_IsAFormatError(string after)
        => await Assert.ThrowsAsync<FormatException>(() => _state.FindTunnelsAsync(after: after, cancellationToken: Wait.Token()));

    private async Task<string> FoundAsync(TunnelFilter filter)
    {
        var found = (await _state.FindTunnelsAsync(filter, cancellationToken: Wait.Token())).Tunnels.Select(tunnel => tunnel.Id).Order(StringComparer.Ordinal);
        var read = (await _state.ReadTunnelsAsync(filter, Wait.Token())).Select(tunnel => tunnel.Id).Order(StringComparer.Ordinal);
        Assert.Equal(found, read);
        return string.Join(' ', found);
    }

    private PlacedTunnel Open(string id, string? client = null, string? upstream = null, long idle = 0, Action? asked = null, Task? answered = null,
        Reactor? reactor = null, long? stillSince = null, int place = 0, UInt128 pin = default)
    {
        var backend = Fleet.PoolOf(_rig.Registry).Backends[place];
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease, pin == default ? null : new Pinned(pin)));
        var tunnel = new PlacedTunnel(id, lease, _rig.Tunnels.Now, client, upstream)
        {
            Idle = () => stillSince is { } since ? Idleness.Milliseconds(_rig.Clock) - since : idle,
            Asked = asked,
            Answered = answered ?? Task.CompletedTask,
            On = reactor,
        };
        Assert.True(_rig.Tunnels.TryOpen(tunnel));
        return tunnel;
    }

    private sealed class Pinned(UInt128 pin) : ILeaseEnd
    {
        public ClientTie Tie => ClientTie.Pinned;

        public UInt128 Pin => pin;

        public void LeaseEnded(Backend backend)
        {
        }
    }

    private sealed class PlacedTunnel(string id, Lease lease, long openedAt, string? client, string? upstream) : Tunnel(id, lease, openedAt)
    {
        public required Func<long> Idle { get; init; }

        public Action? Asked { get; init; }

        public required Task Answered { get; init; }

        public Reactor? On { get; init; }

        public override Reactor? Reactor => On;

        public override string Lane => LaneNames.Portable;

        public override ConnectionTuple? Tuple => TupleOf(client);

        public override async ValueTask<ConnectionTuple?> ReadBackendTupleAsync()
        {
            if (upstream is not null) Asked?.Invoke();
            await Answered;
            return TupleOf(upstream);
        }

        public override long ReadIdle()
        {
            var idle = Idle();
            if (upstream is null) Asked?.Invoke();
            return idle;
        }

        public override void Abort(EndReason reason) => throw new NotSupportedException();

        private static ConnectionTuple? TupleOf(string? source)
            => source is null ? null : new ConnectionTuple(new RawAddress(IPEndPoint.Parse(source)), new RawAddress(IPEndPoint.Parse("10.9.9.9:80")));
    }
}
