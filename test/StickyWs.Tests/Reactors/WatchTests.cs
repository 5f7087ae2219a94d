using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>Sockets that are watched from any thread, as handshakes have it, while the reactor relays.</summary>
[Collection(nameof(Alone))]
public abstract class WatchTests(ReactorMode mode)
{
    private const int Watchers = 4;
    private const int Bulk = 50_000_000;

    [Fact]
    public async Task Watch_MoreAndUnwatch_FromManyThreadsBesideBulk_LeaveNothing()
    {
        await RelayRig.WarmUpAsync(mode);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        await using (var rig = new RelayRig(mode))
        {
            var sockets = await rig.DoAsync(() => rig.Reactor.Count);
            var bulk = await rig.JoinAsync();
            Task[] moving = [PairRelayTests.PushAsync(bulk.Client, seed: 1, 100_000, Bulk), PairRelayTests.AssertGetsAsync(bulk.Backend, seed: 1, Bulk)];
            await Task.WhenAll(Enumerable.Range(0, Watchers).Select(i => OnThread(() => Churn(rig, i))));
            await Task.WhenAll(moving);
            await bulk.Backend.FinishAsync();
            await bulk.Witness.Ended.WaitAsync(Wait.Bound);
            await Wait.UntilAsync(async () => await rig.DoAsync(() => rig.Reactor.Count) == sockets);
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    [Fact]
    public async Task Watch_UntilTheReactorStopsUnderIt_LeavesNothing()
    {
        await RelayRig.WarmUpAsync(mode);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        await using (var rig = new RelayRig(mode))
        {
            using var stop = new CancellationTokenSource();
            using var begun = new CountdownEvent(Watchers);
            var connections = Enumerable.Range(0, Watchers).Select(_ => rig.Connect()).ToArray();
            var watching = connections.Select(connection => OnThread(() =>
            {
                WatchOnce(rig.Reactor, connection.Inner, stop.Token);
                begun.Signal();
                while (WatchOnce(rig.Reactor, connection.Inner, stop.Token))
                {
                }
            })).ToArray();
            Assert.True(begun.Wait(Wait.Bound));

            rig.Stop();
            stop.Cancel();

            await Task.WhenAll(watching).WaitAsync(Wait.Bound);
            foreach (var (outer, inner) in connections)
            {
                outer.Dispose();
                SocketOptions.Close(inner, isReset: false);
            }
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    private static Task OnThread(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Whether the reactor still runs. Each waits for its answer, or four threads would have more to ask than one can answer.
    private static bool WatchOnce(Reactor reactor, int fd, CancellationToken stop)
    {
        var listener = new Listener();
        int number;
        try
        {
            number = reactor.Watch(fd, listener, Signals.Readable);
        }
        catch (IOException)
        {
            return false;
        }

        reactor.WatchMore(number, Signals.Writable);
        try
        {
            Assert.True(listener.Writable.Wait(Wait.Bound, stop));
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            reactor.Unwatch(number);
        }
    }

    private static void Churn(RelayRig rig, int worker)
    {
        using var loopback = new Loopback(rig.Reactor);
        for (var i = 0; i < 40; i++)
        {
            var (outer, inner) = loopback.Connect();
            for (var j = 0; j < 200; j++)
            {
                var listener = new Listener();
                var number = rig.Reactor.Watch(inner, listener, Signals.Readable);
                if ((i + j + worker) % 2 == 0) rig.Reactor.WatchMore(number, Signals.Writable);
                if (j == 0 && (i + worker) % 2 == 0) Assert.True(listener.Writable.Wait(Wait.Bound));
                rig.Reactor.Unwatch(number);
            }

            var last = new Listener();
            var watched = rig.Reactor.Watch(inner, last, Signals.Readable);
            if (i % 2 == 0) outer.Dispose();
            else outer.Close(0);
            Assert.True(last.PeerLeft.Wait(Wait.Bound));
            rig.Reactor.Unwatch(watched);
            SocketOptions.Close(inner, isReset: false);
        }
    }

    private sealed class Listener : IWatcher
    {
        public ManualResetEventSlim Writable { get; } = new();

        public ManualResetEventSlim PeerLeft { get; } = new();

        public void Signal(Signals signals)
        {
            if ((signals & Signals.Writable) != 0) Writable.Set();
            if ((signals & Signals.PeerLeft) != 0) PeerLeft.Set();
        }
    }

    public sealed class OnEpoll() : WatchTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : WatchTests(ReactorMode.IoUring);
}
