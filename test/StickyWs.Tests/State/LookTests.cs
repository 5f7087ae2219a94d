using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.State;

/// <summary>Looks hold up nobody, and leave nothing behind.</summary>
public sealed class LookTests : IDisposable
{
    private readonly HookedClock _clock = new();
    private readonly StateRig _rig;
    private readonly Drains _drains;
    private readonly Attention _attention;
    private readonly StickyWsState _state;

    public LookTests()
    {
        _rig = new StateRig(Fleet.Options(1, 1), _clock);
        _drains = new Drains(_rig.Registry, _rig.Tunnels, NullLogger<Drains>.Instance);
        _attention = new Attention(_clock);
        _state = new StickyWsState(_rig.Registry, _rig.Tunnels, _drains, _attention);
    }

    public void Dispose()
    {
        _attention.Dispose();
        _drains.Dispose();
        _rig.Dispose();
    }

    // It ends on the thread that moves the bytes of others.
    [Fact]
    public async Task Tunnel_ThatEndsWhileRatesAreLookedAt_DoesNotWait()
    {
        var (tunnel, other) = (_rig.Open("1"), _rig.Open("2"));
        await _state.FindTunnelsAsync(cancellationToken: Wait.Token());
        _clock.Advance(TimeSpan.FromSeconds(2));
        var hasEnded = false;
        _clock.Measuring = () =>
        {
            var reactor = new Thread(() => _rig.Tunnels.Close(other)) { IsBackground = true };
            reactor.Start();
            hasEnded = reactor.Join(TimeSpan.FromSeconds(10));
        };
        tunnel.CountToClient(10);

        var page = await _state.FindTunnelsAsync(new TunnelFilter { Id = "1" }, cancellationToken: Wait.Token());

        Assert.True(hasEnded);
        Assert.Equal(5, Assert.Single(page.Tunnels).RateToClient);
    }

    [Fact]
    public async Task Rates_AreForgotten_WhenNobodyLooksAnyMore()
    {
        var tunnel = _rig.Open("1");
        await _state.FindTunnelsAsync(cancellationToken: Wait.Token());
        Assert.NotNull(tunnel.LastLook);

        Lapse();

        Assert.Equal((false, null), (_attention.IsPaid, tunnel.LastLook));
        Assert.Null(Assert.Single((await _state.FindTunnelsAsync(cancellationToken: Wait.Token())).Tunnels).RateToClient);
    }

    [Fact]
    public void Removed_Backend_IsNotCountedAnyMoreEither_WhenNobodyLooks()
    {
        var removed = Fleet.PoolOf(_rig.Registry).Backends[1];
        Assert.Equal(LeaseResult.Granted, removed.TryLease(LeaseKind.Tunnel, int.MaxValue, out _));
        _state.Read();
        _rig.Registry.Apply(Fleet.Options(1));
        Assert.Contains(removed, _drains.Backends);
        Assert.NotNull(removed.Work);
        Assert.Equal("b", Assert.Single(_state.ReadBackends(BackendTarget.Of(Fleet.Pool, "B"))).Name);

        Lapse();

        Assert.Null(removed.Work);
    }

    // The clock is asked between the look and the counting that it begins.
    [Fact]
    public void Look_DuringWhichTheLastOneLapses_IsOneOfItsOwn()
    {
        _state.Read();
        _rig.Registry.Apply(Fleet.Options(1, 1, 1));
        _clock.Telling = Lapse;

        _state.Read();

        Assert.All(Fleet.PoolOf(_rig.Registry).Backends, backend => Assert.Equal(_attention.IsPaid, backend.Work is not null));
        Lapse();
        Assert.All(Fleet.PoolOf(_rig.Registry).Backends, backend => Assert.Null(backend.Work));
    }

    private void Lapse()
    {
        for (var i = 0; i < 10; i++) _clock.Advance(TimeSpan.FromMinutes(1));
    }

    private sealed class HookedClock : FakeTimeProvider
    {
        private Action? _measuring;
        private Action? _telling;
        private int _asked;

        /// <summary>Done once, when a span of time is measured.</summary>
        public Action? Measuring
        {
            set => _measuring = value;
        }

        /// <summary>Done once, when the time is told for the second time.</summary>
        public Action? Telling
        {
            set => (_telling, _asked) = (value, 0);
        }

        public override long TimestampFrequency
        {
            get
            {
                Interlocked.Exchange(ref _measuring, null)?.Invoke();
                return base.TimestampFrequency;
            }
        }

        public override long GetTimestamp()
        {
            if (_telling is not null && ++_asked == 2) Interlocked.Exchange(ref _telling, null)?.Invoke();
            return base.GetTimestamp();
        }
    }
}
