using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

// A listener whose connections are served before Kestrel knows of them.
public sealed class ArrivalsTests : IAsyncDisposable
{
    private readonly ChannelSettings _settings = new(new SocketTransportOptions(), new TransportOptions());
    private readonly ReactorGroup _reactors = ReactorGroup.Start(ReactorMode.Epoll, 2, _ => { });
    private readonly FakeLogger _log = new();
    private readonly ListenerHandover _handover = new(_ => true, TimeProvider.System, NullLogger<ListenerHandover>.Instance);
    private readonly List<IDisposable> _clients = [];
    private readonly RawListener _listener;

    public ArrivalsTests() => _listener = new RawListener(ListeningSocket.Open(), _reactors, _settings, TimeProvider.System, _log);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _handover.Dispose();
        _clients.ForEach(client => client.Dispose());
        _reactors.Dispose();
        _settings.Dispose();
    }

    [Fact]
    public async Task Serve_RunsOnTheConnectionsReactor_AndKestrelGetsWhatIsLeftToIt()
    {
        var service = new Service(async connection =>
        {
            Assert.True(connection.Bare.Reactor.IsCurrent);
            var first = new byte[1];
            while (connection.TryPeek(first) < 1) await connection.WaitReadableAsync(Wait.Token());
            return first[0] == (byte)'k';
        });
        await InstallAsync(_listener, service);

        using var ours = await ConnectAsync(_listener, "o");
        using var kestrels = await ConnectAsync(_listener, "k");
        await using var accepted = await _listener.AcceptAsync(Wait.Token());
        Assert.Equal(kestrels.LocalEndPoint, accepted!.RemoteEndPoint);
        await EndsAsync(ours);
    }

    [Fact]
    public async Task Serve_ThatFails_CostsItsOwnConnectionOnly()
    {
        var count = 0;
        await InstallAsync(_listener, new Service(_ => count++ == 0 ? throw new InvalidOperationException("a defect") : ValueTask.FromResult(true)));

        using var unlucky = await ConnectAsync(_listener, "");
        Assert.Equal(0, await unlucky.ReceiveAsync(new byte[1], Wait.Token()));
        await Wait.UntilAsync(() => _log.Collector.Count > 0);
        Assert.Equal("ArrivalFailed", Assert.Single(_log.Collector.GetSnapshot()).Id.Name);

        using var next = await ConnectAsync(_listener, "");
        await using var accepted = await _listener.AcceptAsync(Wait.Token());
        Assert.Equal(next.LocalEndPoint, accepted!.RemoteEndPoint);
    }

    [Fact]
    public async Task Stop_IsToldToWhatWaits_AndWaitsForIt()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await InstallAsync(_listener, new Service(async connection =>
        {
            connection.Stopping.Register(stopped.SetResult);
            begun.SetResult();
            await goesOn.Task;
            return true; // Too late for Kestrel.
        }));
        using var client = await ConnectAsync(_listener, "");
        await begun.Task.WaitAsync(Wait.Bound);

        await _listener.UnbindAsync(Wait.Token());
        await stopped.Task.WaitAsync(Wait.Bound);
        Assert.Null(await _listener.AcceptAsync(Wait.Token()));
        var disposing = _listener.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);

        goesOn.SetResult();
        await disposing.WaitAsync(Wait.Bound);
        await EndsAsync(client);
    }

    [Fact]
    public async Task Stop_WhoseTimeIsOver_AbortsWhatIsStillServed()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await InstallAsync(_listener, new Service(async connection =>
        {
            begun.SetResult();
            await connection.WaitReadableAsync(CancellationToken.None);
            Assert.True(connection.Bare.IsAborted);
            return false;
        }));
        using var client = await ConnectAsync(_listener, "");
        await begun.Task.WaitAsync(Wait.Bound);

        using var time = new CancellationTokenSource();
        await _listener.UnbindAsync(time.Token);
        var disposing = _listener.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        await time.CancelAsync();

        await disposing.WaitAsync(Wait.Bound);
        await EndsAsync(client);
        Assert.Empty(_log.Collector.GetSnapshot());
    }

    // Its endpoint has changed meanwhile: whoever listens there now gets it.
    [Fact]
    public async Task Serve_AcrossAHandover_EndsWithTheSuccessor()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var old = new RawListener(ListeningSocket.Open(), _reactors, _settings, TimeProvider.System, _log, handover: _handover);
        await InstallAsync(old, new Service(async _ =>
        {
            begun.SetResult();
            await goesOn.Task;
            return true;
        }));
        using var client = await ConnectAsync(old, "x");
        await begun.Task.WaitAsync(Wait.Bound);

        await old.UnbindAsync(Wait.Token());
        await old.DisposeAsync();
        Assert.True(_handover.TryTake((IPEndPoint)old.EndPoint, out var parked));
        await using var next = new RawListener(parked, _reactors, _settings, TimeProvider.System, _log, null, _handover);
        var accepting = next.AcceptAsync(Wait.Token()).AsTask();
        goesOn.SetResult();

        await using var accepted = await accepting.WaitAsync(Wait.Bound);
        Assert.Equal(client.LocalEndPoint, accepted!.RemoteEndPoint);
        Assert.NotNull(Assert.IsType<RawConnection>(accepted).ServedBy);
        Assert.True(((RawConnection)accepted).WasHandedOver);
        Assert.False(((RawConnection)accepted).Stopping.IsCancellationRequested);
    }

    // The successor is closed while a connection of its predecessor is still being served.
    [Fact]
    public async Task Stop_OfTheSuccessor_IsToldToWhatThePredecessorServes()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isKept = true;
        using var handover = new ListenerHandover(_ => isKept, TimeProvider.System, NullLogger<ListenerHandover>.Instance);
        await using var old = new RawListener(ListeningSocket.Open(), _reactors, _settings, TimeProvider.System, _log, handover: handover);
        await InstallAsync(old, new Service(async connection =>
        {
            using var registration = connection.Stopping.Register(stopped.SetResult);
            begun.SetResult();
            await stopped.Task;
            return false;
        }));
        using var client = await ConnectAsync(old, "");
        await begun.Task.WaitAsync(Wait.Bound);
        await old.UnbindAsync(Wait.Token());
        Assert.True(handover.TryTake((IPEndPoint)old.EndPoint, out var parked));
        var next = new RawListener(parked, _reactors, _settings, TimeProvider.System, _log, null, handover);
        Assert.False(stopped.Task.IsCompleted);

        isKept = false;
        await next.UnbindAsync(Wait.Token());
        await next.DisposeAsync();

        Assert.True(stopped.Task.IsCompleted);
        await EndsAsync(client);
    }

    [Fact]
    public async Task Serve_ThatFailsWithALoggerThatFails_ClosesItsConnectionAllTheSame()
    {
        await using var listener = new RawListener(ListeningSocket.Open(), _reactors, _settings, TimeProvider.System, new BrokenLogger());
        await InstallAsync(listener, new Service(_ => throw new InvalidOperationException("a defect")));

        using var unlucky = await ConnectAsync(listener, "");

        await EndsAsync(unlucky);
    }

    // As the sniffer does it: with the first connection that Kestrel has given it.
    private async Task InstallAsync(RawListener listener, Service service)
    {
        using var first = await ConnectAsync(listener, "");
        await using var accepted = await listener.AcceptAsync(Wait.Token());
        Assert.IsType<RawConnection>(accepted).Term!.Service = service;
    }

    private async Task<Socket> ConnectAsync(RawListener listener, string first)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _clients.Add(client);
        await client.ConnectAsync(listener.EndPoint, Wait.Token());
        if (first.Length > 0) await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(first), Wait.Token());
        return client;
    }

    private static async Task EndsAsync(Socket client)
    {
        try
        {
            Assert.Equal(0, await client.ReceiveAsync(new byte[1], Wait.Token()));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // As good.
        }
    }

    private sealed class BrokenLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("a full disk");
    }

    private sealed class Service(Func<RawConnection, ValueTask<bool>> serve) : IArrivalService
    {
        public async ValueTask<bool> ServeAsync(RawConnection connection)
        {
            var isForKestrel = await serve(connection);
            if (isForKestrel) connection.ServedBy = this;
            return isForKestrel;
        }
    }
}
