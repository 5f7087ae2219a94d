using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Configuration;
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
        var listening = Listen(new IPEndPoint(IPAddress.Loopback, 0));
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
            using var next = Listen(endPoint);
        }
        finally
        {
            gate.Set();
        }
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(endPoint);
        listening.Listen(16);
        listening.Blocking = false;
        return listening;
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
