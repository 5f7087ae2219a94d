using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tests.Backends;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.State;

/// <summary>What a state shows: a registry and its tunnels, with a clock of the test's.</summary>
internal sealed class StateRig : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    /// <param name="options">The pool, of the <see cref="Fleet"/>.</param>
    /// <param name="clock">A clock that does more than to tell the time.</param>
    public StateRig(StickyWsOptions options, FakeTimeProvider? clock = null)
    {
        Clock = clock ?? new FakeTimeProvider();
        Registry = Fleet.Registry(options, time: Clock);
        Tunnels = new TunnelTable(new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>()), Clock, NullLogger<TunnelTable>.Instance);
    }

    public FakeTimeProvider Clock { get; }

    public BackendRegistry Registry { get; }

    public TunnelTable Tunnels { get; }

    public Backend Backend(string name) => Fleet.PoolOf(Registry).Backends.Single(backend => backend.Name == name);

    /// <summary>Opens a tunnel to a backend.</summary>
    public StubTunnel Open(string id, string backend = "b")
    {
        Assert.Equal(LeaseResult.Granted, Backend(backend).TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        var tunnel = new StubTunnel(id, lease, Tunnels.Now);
        Assert.True(Tunnels.TryOpen(tunnel));
        return tunnel;
    }

    public void Dispose() => _services.Dispose();
}

/// <summary>A tunnel that carries what the test says.</summary>
internal sealed class StubTunnel(string id, Lease lease, long openedAt) : Tunnel(id, lease, openedAt)
{
    public override string Lane => LaneNames.Portable;

    public override ConnectionTuple? Tuple => null;

    public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync() => default;

    public override void Abort(EndReason reason)
    {
    }
}
