using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

public abstract class RawTunnelTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly LogRecorder _log = new();
    private readonly LoggerFactory _logs;
    private readonly TunnelTable _tunnels;

    private readonly ReactorMode _mode;

    protected RawTunnelTests(ReactorMode mode)
    {
        _mode = mode;
        _logs = new LoggerFactory([_log]);
        _tunnels = new TunnelTable(new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>()), TimeProvider.System, new Logger<TunnelTable>(_logs));
    }

    public void Dispose()
    {
        _logs.Dispose();
        _services.Dispose();
    }

    // The reactor reports a side's first words to the handshake, which is over, while the tunnel is still on its way to it. A client within TLS has been
    // received from, too.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Join_FromAnotherThread_LosesNothingThatIsSaidMeanwhile(bool byClient)
    {
        await using var rig = new RelayRig(_mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        using var clientSocket = new RawSocket(rig.Reactor, clientFd);
        using var backendSocket = new RawSocket(rig.Reactor, backendFd);
        var (speaker, listener) = byClient ? (client, backend) : (backend, client);
        await speaker.SendAsync("101"u8.ToArray(), Wait.Token());
        Assert.Equal(3, await (byClient ? clientSocket : backendSocket).ReceiveAsync(new byte[100], Wait.Token()));
        await Task.Yield(); // Away from the reactor, where the receive went on.

        var (blocker, blockerFd) = rig.Connect();
        using var gate = new Gate();
        IDisposable held = await rig.HoldAsync();
        var blocked = rig.Reactor.Watch(blockerFd, gate, Signals.Readable); // Ready first, served first.
        await blocker.SendAsync("x"u8.ToArray(), Wait.Token());
        await speaker.SendAsync("welcome"u8.ToArray(), Wait.Token());
        held.Dispose();
        await gate.Entered.WaitAsync(Wait.Bound);
        var (tunnel, lease) = Tunnel(rig);
        tunnel.Join(clientSocket, backendSocket, new TunnelOptions());
        gate.Open();

        await using var wire = new Wire(listener, new NetworkStream(listener, ownsSocket: true));
        Assert.Equal("welcome", await wire.ReadTextAsync(7));
        speaker.Dispose();
        await wire.DisposeAsync();
        await Wait.UntilAsync(() => lease.ActiveTunnels == 0 && _tunnels.Count == 0);
        rig.Reactor.Unwatch(blocked);
        SocketOptions.Close(blockerFd, isReset: true);
        blocker.Dispose();
    }

    [Fact]
    public async Task Abort_BeforeTheReactorComesToTheJoin_EndsTheTunnelAndReturnsTheLease()
    {
        await using var rig = new RelayRig(_mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        var (tunnel, lease) = Tunnel(rig);

        using (await rig.HoldAsync())
        {
            tunnel.Abort(EndReason.Shutdown);
            tunnel.Join(new RawSocket(rig.Reactor, clientFd), new RawSocket(rig.Reactor, backendFd), new TunnelOptions());
        }

        await Wait.UntilAsync(() => lease.ActiveTunnels == 0 && _tunnels.Count == 0);
        Assert.Equal(EndReason.Shutdown, tunnel.EndReason);
        client.Dispose();
        backend.Dispose();
    }

    // Whoever sorts tunnels by it may have found it while it was open.
    [Fact]
    public async Task ReadIdle_AfterTheEnd_IsNone()
    {
        await using var rig = new RelayRig(_mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        var (tunnel, _) = Tunnel(rig);
        await rig.DoAsync(() =>
        {
            tunnel.Join(new RawSocket(rig.Reactor, clientFd), new RawSocket(rig.Reactor, backendFd), new TunnelOptions());
            return 0;
        });
        tunnel.Abort(EndReason.Shutdown);
        await Wait.UntilAsync(() => _tunnels.Count == 0);

        Assert.Equal(0, await rig.DoAsync(tunnel.ReadIdle).WaitAsync(Wait.Bound));
        client.Dispose();
        backend.Dispose();
    }

    [Theory]
    [InlineData(EndReason.HandedOff, EndReason.Cut, EndReason.Cut)]
    [InlineData(EndReason.MaxAge, EndReason.Shutdown, EndReason.Shutdown)]
    [InlineData(EndReason.HandedOff, EndReason.IdleTimeout, EndReason.HandedOff)]
    public async Task Abort_AfterAGoodbye_IsTheReasonIfItCutsTheTunnelOff(EndReason said, EndReason abort, EndReason expected)
    {
        await using var rig = new RelayRig(_mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        var (tunnel, lease) = Tunnel(rig);
        tunnel.Join(new RawSocket(rig.Reactor, clientFd), new RawSocket(rig.Reactor, backendFd), new TunnelOptions());
        tunnel.Say(new Goodbye(1012, "", said, Wait.Bound));

        tunnel.Abort(abort);

        await Wait.UntilAsync(() => lease.ActiveTunnels == 0 && _tunnels.Count == 0);
        Assert.Equal(expected, tunnel.EndReason);
        tunnel.Abort(EndReason.Cut);
        await rig.TurnAsync();
        Assert.Equal(expected, tunnel.EndReason);
        client.Dispose();
        backend.Dispose();
    }

    [Fact]
    public async Task Join_WithAListenerThatThrows_OpensTheTunnel()
    {
        await using var rig = new RelayRig(_mode);
        var told = new List<string>();
        _tunnels.Opened += _ => throw new InvalidOperationException("opened");
        _tunnels.Opened += _ => told.Add("opened");
        _tunnels.Ended += _ => throw new InvalidOperationException("ended");
        _tunnels.Ended += _ => told.Add("ended");
        for (var i = 0; i < 2; i++)
        {
            var (client, clientFd) = rig.Connect();
            var (backend, backendFd) = rig.Connect();
            var (tunnel, lease) = Tunnel(rig);
            await rig.DoAsync(() =>
            {
                tunnel.Join(new RawSocket(rig.Reactor, clientFd), new RawSocket(rig.Reactor, backendFd), new TunnelOptions());
                return 0;
            });
            await using var from = new Wire(client, new NetworkStream(client, ownsSocket: true));
            await using var to = new Wire(backend, new NetworkStream(backend, ownsSocket: true));
            await from.WriteAsync("hello");
            Assert.Equal("hello", await to.ReadTextAsync(5));
            await from.FinishAsync();
            await to.FinishAsync();
            await Wait.UntilAsync(() => lease.ActiveTunnels == 0 && _tunnels.Count == 0);
        }

        await Wait.UntilAsync(() => told.Count == 4);
        Assert.Equal(["opened", "ended", "opened", "ended"], told);
        var line = Assert.Single(_log.Lines, line => line.Event == "TunnelListenerFailed"); // The others are Debug.
        Assert.Equal((LogLevel.Error, "opened"), (line.Level, line.Exception!.Message));
    }

    private (RawTunnel Tunnel, Backend Backend) Tunnel(RelayRig rig)
    {
        var backend = Fleet.Backend(0);
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        return (new RawTunnel(default, "id", lease, _tunnels.Now, rig.Reactor, _tunnels), backend);
    }

    /// <summary>Holds the reactor within the turn in which it is told.</summary>
    private sealed class Gate : IWatcher, IDisposable
    {
        private readonly ManualResetEventSlim _open = new();
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Entered => _entered.Task;

        public void Open() => _open.Set();

        public void Signal(Signals signals)
        {
            _entered.TrySetResult();
            _open.Wait(Wait.Bound);
        }

        public void Dispose() => _open.Dispose();
    }

    public sealed class OnEpoll() : RawTunnelTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawTunnelTests(ReactorMode.IoUring);
}
