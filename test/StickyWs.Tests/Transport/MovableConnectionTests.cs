using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A connection that outlives its listener, between two of Kestrel's bookkeepings.</summary>
public sealed class MovableConnectionTests : IAsyncDisposable
{
    private readonly ChannelSettings _settings = new(new SocketTransportOptions(), new TransportOptions());
    private readonly RelayRig _rig = new(ReactorMode.Epoll);
    private readonly ListenerTerm _term = new();
    private readonly ParkedListener _parked = new(new Socket(SocketType.Stream, ProtocolType.Tcp));
    private readonly RawConnection _connection;
    private readonly Wire _peer;
    private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Kestrel _first = new();
    private readonly Kestrel _second = new();

    public MovableConnectionTests()
    {
        var (outer, fd) = _rig.Loopback.Connect(out var remote);
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        _connection = new RawConnection(new RawSocket(_rig.Reactor, fd), null, remote, _settings, NullLogger.Instance, term: _term);
        _first.Begin(_connection.Features);
    }

    public async ValueTask DisposeAsync()
    {
        _served.TrySetResult();
        await _connection.CloseAsync();
        _parked.Close();
        await _peer.DisposeAsync();
        await _rig.DisposeAsync();
        _settings.Dispose();
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task Serve_OfAConnectionThatStays_IsAsWithoutIt()
    {
        var closing = default(CancellationToken);
        var (ticks, ends) = (0, 0);
        var serving = MovableConnection.ServeAsync(_connection, _term, connection =>
        {
            closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            connection.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => ticks++, this);
            connection.Features.Get<IConnectionCompleteFeature>()!.OnCompleted(_ => Task.FromResult(ends++), this);
            return _served.Task;
        });

        _first.Tick();
        Assert.Equal((1, false, false), (ticks, closing.IsCancellationRequested, serving.IsCompleted));
        _first.RequestClose();
        Assert.True(closing.IsCancellationRequested);
        _served.SetResult();
        await serving.WaitAsync(Wait.Bound);

        await _first.EndAsync();
        Assert.Equal(1, ends);
        await _connection.DisposeAsync();
        Assert.Equal("", await _peer.ReadTextToEndAsync());
    }

    // A server may look for the first time while the connection is between two listeners (TLS was not yet over), and the one that was left may ask late.
    [Fact]
    public async Task RequestClose_OfTheListenerThatWasLeft_DoesNotReachTheNext()
    {
        var serving = MovableConnection.ServeAsync(_connection, _term, _ => _served.Task);
        _term.End(_parked);
        await serving.WaitAsync(Wait.Bound);
        await _connection.DisposeAsync();
        var closing = _connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
        Assert.True(_parked.TryTake(out var parked));
        var adopted = Assert.IsType<AdoptedConnection>(parked.Adopt(new ListenerTerm(), new IPEndPoint(IPAddress.Loopback, 1)));
        _second.Begin(adopted.Features);
        var staying = adopted.StayAsync();

        _first.RequestClose();
        Assert.False(closing.IsCancellationRequested);
        _second.RequestClose();
        Assert.True(closing.IsCancellationRequested);

        _served.SetResult();
        await staying.WaitAsync(Wait.Bound);
        await adopted.DisposeAsync();
    }

    [Fact]
    public async Task Serve_OfAConnectionThatMoves_GoesOnWithTheNextListener()
    {
        var closing = default(CancellationToken);
        var (ticks, ends) = (0, 0);
        var serving = MovableConnection.ServeAsync(_connection, _term, connection =>
        {
            closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            connection.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => ticks++, this);
            connection.Features.Get<IConnectionCompleteFeature>()!.OnCompleted(_ => Task.FromResult(ends++), this);
            return _served.Task;
        });

        _term.End(_parked);
        await serving.WaitAsync(Wait.Bound); // Kestrel lets it go.
        _first.RequestClose();
        await _first.EndAsync();
        await _connection.DisposeAsync();
        Assert.Equal((0, false), (ends, closing.IsCancellationRequested));
        Assert.Equal(1, _parked.Count);

        Assert.True(_parked.TryTake(out var parked));
        var moved = Assert.IsType<MovableConnection>(parked);
        var adopted = Assert.IsType<AdoptedConnection>(moved.Adopt(new ListenerTerm(), new IPEndPoint(IPAddress.Loopback, 1)));
        _second.Begin(adopted.Features);
        var staying = adopted.StayAsync();
        _second.Tick();
        Assert.True(moved.HasMoved);
        Assert.Equal((1, false), (ticks, staying.IsCompleted));
        Assert.Throws<InvalidOperationException>(() => adopted.Transport);
        _second.RequestClose();
        Assert.True(closing.IsCancellationRequested);

        _served.SetResult();
        await staying.WaitAsync(Wait.Bound);
        await _second.EndAsync();
        Assert.Equal(1, ends);
        await adopted.DisposeAsync();
        Assert.Equal("", await _peer.ReadTextToEndAsync());
    }

    [Fact]
    public async Task Serve_ThatBeginsWhenTheTermIsOver_MovesAtOnce()
    {
        _term.End(_parked);
        _first.RequestClose();
        var closing = default(CancellationToken);
        await MovableConnection.ServeAsync(_connection, _term, connection =>
        {
            closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            return _served.Task;
        }).WaitAsync(Wait.Bound);

        await _connection.DisposeAsync();

        Assert.False(closing.IsCancellationRequested);
        Assert.Equal(1, _parked.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connection_ThatNobodyTakes_IsAborted(bool comesLate)
    {
        var serving = MovableConnection.ServeAsync(_connection, _term, async connection =>
        {
            var read = await connection.Transport.Input.ReadAsync(Wait.Token());
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
        });
        _term.End(_parked);
        await serving.WaitAsync(Wait.Bound);

        if (comesLate) _parked.Close();
        await _connection.DisposeAsync();
        if (!comesLate) _parked.Close();

        await Assert.ThrowsAnyAsync<IOException>(() => _peer.ReadTextToEndAsync());
    }

    /// <summary>What Kestrel sets on a connection of one listener.</summary>
    private sealed class Kestrel : IConnectionHeartbeatFeature, IConnectionLifetimeNotificationFeature, IConnectionCompleteFeature, IDisposable
    {
        private readonly List<(Action<object> Action, object State)> _heartbeats = [];
        private readonly List<(Func<object, Task> Callback, object State)> _completions = [];
        private readonly CancellationTokenSource _closing = new();

        public CancellationToken ConnectionClosedRequested { get => _closing.Token; set => throw new NotSupportedException(); }

        public void Begin(IFeatureCollection features)
        {
            features.Set<IConnectionHeartbeatFeature>(this);
            features.Set<IConnectionLifetimeNotificationFeature>(this);
            features.Set<IConnectionCompleteFeature>(this);
        }

        public void OnHeartbeat(Action<object> action, object state) => _heartbeats.Add((action, state));

        public void OnCompleted(Func<object, Task> callback, object state) => _completions.Add((callback, state));

        public void Tick() => _heartbeats.ForEach(static heartbeat => heartbeat.Action(heartbeat.State));

        public void RequestClose() => _closing.Cancel();

        public void Dispose() => _closing.Dispose();

        public async Task EndAsync()
        {
            foreach (var (callback, state) in _completions) await callback(state);
        }
    }
}
