using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Kernel;

/// <summary>What the kernel says is left behind a receive.</summary>
public sealed class CountedReceiveTests
{
    [Fact]
    public async Task Receive_OfAPart_TellsTheRestAndThenThatThereIsNone()
    {
        using var end = new End();
        await end.SendAsync(250);

        Assert.Equal((100, 150), end.Receive());
        Assert.Equal((100, 50), end.Receive());
        Assert.Equal((50, 0), end.Receive());
        Assert.Equal((-1, -1), end.Receive());
    }

    // The receive is short, and yet not all.
    [Fact]
    public async Task Receive_UpToAnUrgentMark_TellsWhatIsBehindIt()
    {
        using var end = new End();
        await end.SendAsync(20);
        await end.SendAsync(1, SocketFlags.OutOfBand);
        await end.SendAsync(10);

        Assert.Equal((20, 11), end.Receive());
        Assert.Equal((11, 0), end.Receive());
    }

    [Fact]
    public async Task Receive_BeforeTheEnd_TellsThatSomethingIsLeft()
    {
        using var end = new End();
        await end.SendAsync(20);
        await end.FinishAsync();

        Assert.Equal((20, 1), end.Receive());
        Assert.Equal((0, -1), end.Receive());
    }

    [Fact]
    public async Task Receive_FromASocketThatDoesNotCount_TellsNothing()
    {
        using var end = new End(isCounted: false);
        await end.SendAsync(20);

        Assert.Equal((20, -1), end.Receive());
    }

    private sealed class End : IDisposable
    {
        private readonly RelayRig _rig;
        private readonly Socket _outer;
        private readonly int _inner;
        private readonly CountedReceive _counted = new();

        public End(bool isCounted = true)
        {
            _rig = new RelayRig(ReactorMode.Epoll);
            (_outer, _inner) = _rig.Connect();
            if (isCounted) SocketOptions.SetCounted(_inner);
        }

        public Task SendAsync(int count, SocketFlags flags = SocketFlags.None)
        {
            _outer.Send(new byte[count], flags);
            return ArriveAsync();
        }

        public Task FinishAsync()
        {
            _outer.Shutdown(SocketShutdown.Send);
            return ArriveAsync();
        }

        public unsafe (int Count, int Left) Receive()
        {
            var buffer = stackalloc byte[100];
            var count = (int)_counted.Receive(_inner, buffer, 100, out var left);
            return (count, left);
        }

        public void Dispose()
        {
            _counted.Dispose();
            _outer.Dispose();
            SocketOptions.Close(_inner, isReset: false);
            _rig.Stop();
        }

        private Task ArriveAsync() => Wait.UntilAsync(() => SentQueue.IsEmpty(_outer));
    }
}
