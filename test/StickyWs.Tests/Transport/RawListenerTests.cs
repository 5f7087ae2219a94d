using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public abstract class RawListenerTests(ReactorMode mode)
{
    // An operation of the kernel's holds a socket open beyond its descriptor; the reactor, which is to end it, may be busy.
    [Fact]
    public async Task Unbind_WhileTheReactorIsBusy_HasClosedTheListenerWhenItReturns()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var settings = new ChannelSettings(new SocketTransportOptions(), new TransportOptions());
        using var reactors = ReactorGroup.Start(mode, 1, _ => { });
        var listening = ListeningSocket.Open();
        await using var listener = new RawListener(listening, reactors, settings, TimeProvider.System, NullLogger.Instance);
        var endPoint = (IPEndPoint)listener.EndPoint;
        var accepting = listener.AcceptAsync(Wait.Token());
        await PassAsync(reactors.First);
        using var gate = new ManualResetEventSlim();
        reactors.First.Run(() => gate.Wait(Wait.Bound));
        try
        {
            await listener.UnbindAsync(Wait.Token());

            Assert.Null(await accepting);
            using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => late.Connect(endPoint)).SocketErrorCode);
            using var next = ListeningSocket.Open(endPoint);
        }
        finally
        {
            gate.Set();
        }
    }

    // accept(2) fails, its poll has ended, and some time later all is well again.
    [Fact]
    public async Task Accept_ThatFails_RestsAndSaysSoOnceAMinuteAndGoesOnWhenItCan()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var settings = new ChannelSettings(new SocketTransportOptions(), new TransportOptions());
        using var reactors = ReactorGroup.Start(mode, 1, _ => { });
        var (time, log) = (new FakeTimeProvider(), new FakeLogger());
        var listening = ListeningSocket.Open();
        await using var listener = new RawListener(listening, reactors, settings, time, log);
        var accepting = listener.AcceptAsync(Wait.Token()).AsTask();
        await PassAsync(reactors.First);

        Assert.Equal(0, Libc.Shutdown((int)listening.Handle, Libc.SHUT_RD));
        await Wait.UntilAsync(() => log.Collector.Count > 0);
        for (var i = 0; i < 590; i++)
        {
            time.Advance(AcceptGate.Rest);
            await Task.Yield();
        }

        Assert.Equal("CannotAccept", Assert.Single(log.Collector.GetSnapshot()).Id.Name);
        await Wait.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return log.Collector.Count > 1;
        });
        Assert.Equal(2, log.Collector.Count);
        Assert.False(accepting.IsCompleted);

        listening.Listen(16);
        for (var i = 0; i < 3; i++)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(EndPointOf(listening, reactors.First), Wait.Token());
            await Wait.UntilAsync(() =>
            {
                time.Advance(AcceptGate.Rest);
                return accepting.IsCompleted;
            });
            await (await accepting)!.DisposeAsync();
            accepting = listener.AcceptAsync(Wait.Token()).AsTask();
        }

        await listener.UnbindAsync(Wait.Token());
        Assert.Null(await accepting.WaitAsync(Wait.Bound));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_WhileDescriptorsAreShort_WaitsAndIsUnboundAllTheSame(bool isUnbound)
    {
        ReactorKind.SkipUnlessThere(mode);
        using var settings = new ChannelSettings(new SocketTransportOptions(), new TransportOptions());
        using var reactors = ReactorGroup.Start(mode, 1, _ => { });
        var (time, log) = (new FakeTimeProvider(), new FakeLogger<DescriptorBudget>());
        var open = 100;
        var budget = new DescriptorBudget(time, log, () => new DescriptorCount(Volatile.Read(ref open), 1024));
        await using var listener = new RawListener(ListeningSocket.Open(), reactors, settings, time, NullLogger.Instance, budget);
        Volatile.Write(ref open, 1024);
        time.Advance(TimeSpan.FromSeconds(1));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.EndPoint, Wait.Token());
        var accepting = listener.AcceptAsync(Wait.Token()).AsTask();
        await Wait.UntilAsync(() => log.Collector.Count > 0);
        Assert.Equal("DescriptorsShort", Assert.Single(log.Collector.GetSnapshot()).Id.Name);
        Assert.False(accepting.IsCompleted);

        if (isUnbound) await listener.UnbindAsync(Wait.Token());
        else Volatile.Write(ref open, 100);
        await Wait.UntilAsync(() =>
        {
            time.Advance(AcceptGate.Rest); // The pause may not have begun.
            return accepting.IsCompleted;
        });

        var connection = await accepting;
        Assert.Equal(isUnbound, connection is null);
        if (connection is not null) await connection.DisposeAsync();
        else Assert.Equal("DescriptorsFree", log.Collector.GetSnapshot()[^1].Id.Name);
    }

    // It has another port when it listens again.
    private static IPEndPoint EndPointOf(Socket socket, Reactor reactor)
    {
        var raw = new RawSocket(reactor, (int)socket.Handle);
        var address = raw.LocalAddress!.Value.ToEndPoint();
        raw.Release();
        return address;
    }

    // What was asked of the reactor before is with the kernel behind this.
    private static async Task PassAsync(Reactor reactor)
    {
        for (var i = 0; i < 3; i++)
        {
            var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            reactor.Run(passed.SetResult);
            await passed.Task.WaitAsync(Wait.Bound);
        }
    }

    public sealed class OnEpoll() : RawListenerTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawListenerTests(ReactorMode.IoUring);
}
