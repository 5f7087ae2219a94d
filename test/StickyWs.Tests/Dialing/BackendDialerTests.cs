using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Dispatch;
using StickyWs.Observability;
using StickyWs.Tests.Backends;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Dialing;

public sealed class BackendDialerTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly Outcomes _outcomes = new();

    public void Dispose() => _services.Dispose();

    // A client that has us run out of descriptors must not have the whole pool taken for dead.
    [Theory]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    public async Task DialAsync_OwnWantOfResources_BlamesNoBackendAndTriesNoOther(SocketError error)
    {
        var (outcome, tried) = await DialAsync(error);

        Assert.Equal(DialResult.OutOfResources, outcome.Result);
        Assert.Equal(1, tried);
        Assert.Empty(_outcomes.Failures);
    }

    // Ports are short for one destination at a time, and one name server knows of some names only.
    [Theory]
    [InlineData(SocketError.AddressNotAvailable)]
    [InlineData(SocketError.TryAgain)]
    public async Task DialAsync_OwnTroubleWithOneDestination_BlamesNoBackendAndTriesTheOthers(SocketError error)
    {
        var (outcome, tried) = await DialAsync(error);

        Assert.Equal(DialResult.OutOfReach, outcome.Result);
        Assert.Equal(3, tried);
        Assert.Empty(_outcomes.Failures);
    }

    [Fact]
    public async Task DialAsync_BackendsThatRefuse_AreBlamedAndAllTried()
    {
        var (outcome, tried) = await DialAsync(SocketError.ConnectionRefused);

        Assert.Equal(DialResult.Unreachable, outcome.Result);
        Assert.Equal(3, tried);
        Assert.Equal(["a", "b", "c"], _outcomes.Failures.Order());
    }

    private async Task<(DialOutcome<StreamBackendConnection> Outcome, int Tried)> DialAsync(SocketError error)
    {
        var pool = Fleet.PoolOf(Fleet.Registry(Fleet.Options(1, 1, 1)));
        var choice = new Decision(pool, LeaseKind.Tunnel, new PolicyRunner(new RoundRobinPolicy(), new FakeLogger<PolicyRunner>()), int.MaxValue);
        var dialer = new BackendDialer(
            _outcomes,
            new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>()),
            new ShortageLog(TimeProvider.System, NullLogger<ShortageLog>.Instance),
            TimeProvider.System,
            NullLogger<BackendDialer>.Instance);
        var connector = new FailingConnector(error);
        var outcome = await dialer.DialAsync(choice, connector, CancellationToken.None);
        Assert.All(pool.Backends, backend => Assert.Equal(0, backend.ActiveTunnels));
        return (outcome, connector.Calls);
    }

    private sealed class FailingConnector(SocketError error) : IBackendConnector<StreamBackendConnection>
    {
        public int Calls { get; private set; }

        public ValueTask<StreamBackendConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken)
        {
            Calls++;
            throw new SocketException((int)error);
        }
    }

    private sealed class Outcomes : IOutcomeSink
    {
        public List<string> Failures { get; } = [];

        public void Succeeded(Backend backend)
        {
        }

        public void Failed(Backend backend, Suspicion suspicion) => Failures.Add(backend.Name);

        public void Missed(PoolSnapshot pool)
        {
        }
    }
}
