using System.Net;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Draining;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>When a backend is suspected because its tunnels die young. The default is 10 ends of 3 clients, and half of the tunnels.</summary>
public sealed class OutliersTests : IDisposable
{
    private static readonly byte[] Close = [0x88, 0x82, 0, 0, 0, 0, 3, 232];

    private readonly DrainRig _rig = new();
    private readonly FakeLogger<Outliers> _log = new();
    private readonly Sink _sink = new();
    private readonly Outliers _outliers;
    private int _looks;

    // The first look is at once, the next one a second after it. Some tunnels of a neighbour last.
    public OutliersTests()
    {
        _outliers = new Outliers(_rig.Tunnels, _rig.Registry, _sink, _rig.Metrics, _log)
        {
            Post = work =>
            {
                _looks++;
                work();
            },
        };
        OpenAtNeighbour();
    }

    public void Dispose()
    {
        _outliers.Dispose();
        _rig.Dispose();
    }

    [Theory]
    [InlineData(EndReason.BackendReset)]
    [InlineData(EndReason.BackendClosed)] // Without a Close frame.
    [InlineData(EndReason.BackendLost)]
    [InlineData(EndReason.BackendTruncated)]
    [InlineData(EndReason.BackendTlsFailed)]
    public void ManyClients_SeeItBreakOff_ItIsSuspectedOnce(EndReason reason)
    {
        for (var i = 0; i < 9; i++) Die(_rig.B, i, reason);
        Assert.Empty(_sink.Seen);

        Die(_rig.B, 9, reason);

        Assert.Equal(3, _sink.Seen.Select(one => one.Suspicion.Client).Distinct().Count());
        Assert.All(_sink.Seen, one => Assert.Equal((_rig.B, Evidence.DiesYoung, false), (one.Backend, one.Suspicion.Evidence, one.Suspicion.IsProof)));
        Assert.Equal(
            ["Backend chat/b is suspected: it broke off 10 tunnels of 10 clients within 00:00:05 of their opening, all in the last 00:01:00"],
            _log.Collector.GetSnapshot().Select(line => line.Message));
        for (var i = 0; i < 9; i++) Die(_rig.B, i, reason);
        PassLook();
        Assert.Equal(3, _sink.Seen.Count);
    }

    [Theory]
    [InlineData(EndReason.ClientReset)]
    [InlineData(EndReason.ClientClosed)]
    [InlineData(EndReason.HandedOff)]
    [InlineData(EndReason.IdleTimeout)]
    [InlineData(EndReason.Failed)]
    public void OtherEnds_AreNot(EndReason reason)
    {
        for (var i = 0; i < 100; i++) Die(_rig.B, i, reason);

        Assert.Empty(_sink.Seen);
    }

    [Fact]
    public void ThoseWhoSaidClose_AreNot()
    {
        for (var i = 0; i < 100; i++)
        {
            var tunnel = Open(_rig.B, i);
            tunnel.CountToBackend(Close);
            tunnel.Abort(EndReason.BackendReset);
        }

        Assert.Empty(_sink.Seen);
    }

    [Theory]
    [InlineData(1000, false)]
    [InlineData(1001, false)]
    [InlineData(1011, true)]
    public void BackendSaysClose_ItsCodeCounts(int code, bool isSuspected)
    {
        for (var i = 0; i < 20; i++)
        {
            var tunnel = Open(_rig.B, i);
            tunnel.CountToClient([0x88, 2, (byte)(code >> 8), (byte)code]);
            tunnel.Abort(EndReason.BackendClosed);
        }

        Assert.Equal(isSuspected, _sink.Seen.Count > 0);
    }

    [Fact]
    public void WithoutFrames_OnlyResetsCount()
    {
        for (var i = 0; i < 20; i++) FakeTunnel.Open(_rig.B, _rig.Tunnels).Abort(EndReason.BackendClosed);

        Assert.Empty(_sink.Seen);
    }

    [Fact]
    public void OlderTunnels_AreNot()
    {
        for (var i = 0; i < 50; i++)
        {
            var tunnel = Open(_rig.B, i);
            _rig.Clock.Advance(TimeSpan.FromSeconds(5));
            tunnel.Abort(EndReason.BackendReset);
        }

        Assert.Empty(_sink.Seen);
    }

    // However hostile, and however many tunnels it opens: neither alone, nor among others whose tunnels last.
    [Fact]
    public void OneClient_RaisesNoSuspicion()
    {
        for (var i = 0; i < 5000; i++) Die(_rig.B, 1);
        PassLook();
        Assert.Empty(_sink.Seen);

        for (var i = 10; i < 20; i++) Open(_rig.B, i);
        for (var i = 2; i < 5; i++) Die(_rig.B, i);
        for (var i = 0; i < 5000; i++) Die(_rig.B, 1);
        PassLook();
        Assert.Empty(_sink.Seen);
        Assert.Equal(3, _looks);
    }

    // Nor can it hide one, by tunnels of its own that last.
    [Fact]
    public void OneClient_HidesNothing()
    {
        for (var i = 0; i < 5000; i++) Open(_rig.B, 1).Abort(EndReason.ClientClosed);
        for (var i = 0; i < 5000; i++) Die(A, 1);

        for (var i = 10; i < 20; i++) Die(_rig.B, i);

        Assert.NotEmpty(_sink.Seen);
        Assert.All(_sink.Seen, one => Assert.Equal(_rig.B, one.Backend));
    }

    [Fact]
    public void AddressesOfOneNetwork_AreOneClient()
    {
        for (var i = 0; i < 1000; i++) Die(_rig.B, IPAddress.Parse($"2001:db8::{i:x}"));
        PassLook();
        Assert.Empty(_sink.Seen);

        for (var i = 0; i < 10; i++) Die(_rig.B, IPAddress.Parse($"2001:db8:0:{i + 1:x}::1"));
        PassLook();
        Assert.NotEmpty(_sink.Seen);
    }

    [Fact]
    public void NeighboursDieAlike_NobodyIsSuspected()
    {
        for (var i = 0; i < 50; i++)
        {
            Die(A, i);
            Die(_rig.B, i);
        }

        PassLook();
        Assert.Empty(_sink.Seen);
    }

    [Fact]
    public void MostTunnelsLast_NobodyIsSuspected()
    {
        for (var i = 0; i < 60; i++) Open(_rig.B, i);

        for (var i = 0; i < 25; i++) Die(_rig.B, 100 + i);

        PassLook();
        Assert.Empty(_sink.Seen);
    }

    [Fact]
    public void SlowDeaths_AreForgotten()
    {
        for (var i = 0; i < 100; i++)
        {
            OpenAtNeighbour();
            Die(_rig.B, i);
            _rig.Clock.Advance(TimeSpan.FromSeconds(8));
        }

        Assert.Empty(_sink.Seen);
    }

    [Fact]
    public void Clients_AreBounded()
    {
        var childhood = new Childhood(_rig.Clock);
        for (var i = 0; i < 100_000; i++) childhood.Died(new IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i]), TimeSpan.FromMinutes(1));

        Assert.Equal(Childhood.MostClients, childhood.Read(TimeSpan.FromMinutes(1)).Clients);
    }

    [Theory]
    [InlineData("off")]
    [InlineData("passive")]
    [InlineData("drained")]
    [InlineData("down")]
    public void NotAsked_NobodyIsSuspected(string cause)
    {
        _rig.Registry.Apply(Fleet.Options(
            pool =>
            {
                pool.Outliers.Enabled = cause != "off";
                pool.Health.Passive.Enabled = cause != "passive";
            },
            1,
            1));
        if (cause == "drained") _rig.Registry.Order([_rig.B], BackendMode.Stop);
        if (cause == "down") _rig.Registry.Report(_rig.B, BackendState.Unhealthy, "test");

        for (var i = 0; i < 50; i++) Die(_rig.B, i);

        PassLook();
        Assert.Empty(_sink.Seen);
    }

    // It may be what all clients of the pool do.
    [Theory]
    [InlineData(0)]
    [InlineData(2)] // A verdict wants 3.
    public void NoNeighboursToCompareWith_NobodyIsSuspected(int clients)
    {
        _rig.Clock.Advance(TimeSpan.FromMinutes(2)); // What was seen at the neighbour is forgotten.
        for (var i = 0; i < clients; i++) Open(A, i);
        for (var i = 0; i < 50; i++) Die(_rig.B, i);
        PassLook();
        Assert.Empty(_sink.Seen);

        OpenAtNeighbour();
        Die(_rig.B, 1);
        PassLook();
        Assert.NotEmpty(_sink.Seen);
    }

    // Reactors only count. However many end, a look is once a second, and sees them all.
    [Fact]
    public void ManyAtOnce_AreSeenByTheNextLook()
    {
        for (var i = 0; i < 60; i++) Open(_rig.B, 1000 + i);
        for (var i = 0; i < 1000; i++) Die(_rig.B, i);
        Assert.Equal((2, 0), (_looks, _sink.Seen.Count));

        PassLook();
        Assert.Equal((2, 3), (_looks, _sink.Seen.Count));
    }

    [Fact]
    public void Lines_AreOneAMinute()
    {
        for (var i = 0; i < 100; i++)
        {
            Die(_rig.B, i);
            if (i % 10 == 9) PassLook();
        }

        Assert.Equal((30, 1), (_sink.Seen.Count, _log.Collector.Count));

        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        OpenAtNeighbour();
        for (var i = 0; i < 10; i++) Die(_rig.B, i);
        Assert.Equal(2, _log.Collector.Count);
    }

    private Backend A => Fleet.PoolOf(_rig.Registry).Backends[0];

    private void PassLook() => _rig.Clock.Advance(TimeSpan.FromSeconds(1));

    private void OpenAtNeighbour()
    {
        for (var i = 0; i < 5; i++) Open(A, 5000 + i);
    }

    private FakeTunnel Open(Backend backend, int client) => Open(backend, new IPAddress([10, 0, (byte)(client >> 8), (byte)client]));

    private FakeTunnel Open(Backend backend, IPAddress client)
    {
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        return FakeTunnel.OpenFramed(lease, _rig.Tunnels, client: client);
    }

    private void Die(Backend backend, int client, EndReason reason = EndReason.BackendReset) => Open(backend, client).Abort(reason);

    private void Die(Backend backend, IPAddress client) => Open(backend, client).Abort(EndReason.BackendReset);

    private sealed class Sink : IOutcomeSink
    {
        public List<(Backend Backend, Suspicion Suspicion)> Seen { get; } = [];

        public void Succeeded(Backend backend)
        {
        }

        public void Failed(Backend backend, Suspicion suspicion) => Seen.Add((backend, suspicion));

        public void Missed(PoolSnapshot pool)
        {
        }
    }
}
