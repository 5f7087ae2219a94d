using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>What the relay cannot see: numbers that are used again, watchers, and the thread.</summary>
public abstract class ReactorTests(ReactorMode mode)
{
    // Both sides of a pair break in one turn; the first event ends the pair, and its owner takes both numbers for other sockets at once.
    [Fact]
    public async Task LateEvent_OfAClosedSocket_DoesNotReachItsSuccessor()
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        var (firstOuter, firstFd) = rig.Connect();
        var (secondOuter, secondFd) = rig.Connect();
        using var firstRaw = new RawSocket(rig.Reactor, firstFd);
        using var secondRaw = new RawSocket(rig.Reactor, secondFd);
        CancellationToken[] left = [];
        pair.Witness.OnEnded = () => left = [firstRaw.Left, secondRaw.Left];
        using (await rig.HoldAsync())
        {
            pair.Client.Reset();
            pair.Backend.Reset();
        }

        await pair.Witness.Ended.WaitAsync(Wait.Bound);
        await rig.TurnAsync();

        Assert.All(left, token => Assert.False(token.IsCancellationRequested));
        firstOuter.Dispose();
        secondOuter.Dispose();
        await Wait.UntilAsync(() => left is [{ IsCancellationRequested: true }, { IsCancellationRequested: true }]);
    }

    // Whoever has bytes to move does not wait for all that arrives at the same time.
    [Fact]
    public async Task WhatTakesLong_BeginsAFewAtATimeAndInOrder()
    {
        const int All = 100;
        await using var rig = new RelayRig(mode);
        var begun = new List<int>();
        var turns = new Turns(begun);
        rig.Reactor.Admit(turns);
        var atOnce = await rig.DoAsync(() =>
        {
            for (var i = 0; i < All; i++) _ = BeginAsync(i);
            return begun.Count;
        });
        await Wait.UntilAsync(async () => await rig.DoAsync(() => begun.Count) == All);

        Assert.Equal(Enumerable.Range(0, All), begun);
        Assert.InRange(atOnce, 0, 4);
        Assert.InRange(turns.Most, 1, 8); // Those, and some of the others.

        async Task BeginAsync(int number)
        {
            await rig.Reactor.SwitchTo(inTurn: true);
            Assert.True(rig.Reactor.IsCurrent);
            begun.Add(number);
        }
    }

    [Fact]
    public async Task WhatTakesLong_BeginsAlsoIfTheReactorHasEnded()
    {
        var begun = 0;
        await using (var rig = new RelayRig(mode))
        {
            await rig.DoAsync(() =>
            {
                for (var i = 0; i < 100; i++) _ = BeginAsync(rig.Reactor);
                rig.Reactor.Dispose();
                return 0;
            });
            await Wait.UntilAsync(() => Volatile.Read(ref begun) == 100);
            await BeginAsync(rig.Reactor);
        }

        Assert.Equal(101, begun);

        async Task BeginAsync(Reactor reactor)
        {
            await reactor.SwitchTo(inTurn: true);
            Interlocked.Increment(ref begun);
        }
    }

    // The number goes from a broken socket to a sound one on this thread, while the reactor may be about to tell the broken one's watcher.
    [Fact]
    public async Task Event_OfASocketThatIsGivenUpOnAnotherThread_DoesNotReachTheNextWatcherOfItsNumber()
    {
        await using var rig = new RelayRig(mode);
        var (brokenOuter, broken) = rig.Connect();
        var (soundOuter, sound) = rig.Connect();
        brokenOuter.Close(0);
        var givenUp = new HashSet<int>();
        var reused = 0;
        for (var i = 0; i < 100_000; i++)
        {
            if (i % 100 == 0) await rig.TurnAsync(); // Or it may free no number as long as this goes on.
            var number = rig.Reactor.Watch(broken, new Listener(), Signals.Readable);
            rig.Reactor.Unwatch(number);
            givenUp.Add(number);
            var listener = new Listener();
            var next = rig.Reactor.Watch(sound, listener, Signals.Readable);
            if (givenUp.Remove(next)) reused++;
            rig.Reactor.Unwatch(next);
            Assert.False(listener.WasTold, $"Told in round {i} that its sound connection has ended.");
        }

        Assert.NotEqual(0, reused);
        soundOuter.Dispose();
        SocketOptions.Close(broken, isReset: false);
        SocketOptions.Close(sound, isReset: false);
    }

    [Fact]
    public async Task Churn_OfPairs_UsesNumbersAgainAndMixesNothingUp()
    {
        await using var rig = new RelayRig(mode);
        for (var i = 0; i < 1500; i++)
        {
            var (client, clientFd) = rig.Connect();
            var (backend, backendFd) = rig.Connect();
            using (client)
            using (backend)
            {
                var witness = new PairWitness();
                await rig.DoAsync(() => rig.Join(clientFd, backendFd, witness));
                client.Send(BitConverter.GetBytes(i));
                var got = new byte[sizeof(int)];
                Assert.Equal(sizeof(int), await backend.ReceiveAsync(got, Wait.Token()));
                Assert.Equal(i, BitConverter.ToInt32(got));
                if (i % 3 == 0) client.Close(0);
                else if (i % 3 == 1) backend.Close(0);
                else await rig.DoAsync(() => Abort(0));
                await witness.Ended.WaitAsync(Wait.Bound);
                Assert.Equal(1, witness.Ends);
            }
        }

        Assert.InRange(rig.Reactor.Count, 1, 3);

        // There is one pair at a time, so its number is always the first.
        int Abort(int number)
        {
            PairRelay.Of(rig.Reactor).Abort(number);
            return 0;
        }
    }

    [Fact]
    public async Task Run_OnTheThreadItself_IsDoneAtOnce()
    {
        await using var rig = new RelayRig(mode);

        Assert.True(await rig.DoAsync(() =>
        {
            var isDone = false;
            rig.Reactor.Run(() => isDone = rig.Reactor.IsCurrent);
            return isDone;
        }));
        Assert.False(rig.Reactor.IsCurrent);
    }

    [Fact]
    public async Task Run_FromManyThreads_DoesAllOfIt()
    {
        await using var rig = new RelayRig(mode);
        var done = 0;

        Parallel.For(0, 100_000, _ => rig.Reactor.Run(() => done++));

        Assert.Equal(100_000, await rig.DoAsync(() => done));
    }

    [Fact]
    public async Task Run_OfWorkThatThrows_IsReportedAndTheThreadGoesOn()
    {
        ReactorKind.SkipUnlessThere(mode);
        var failures = new List<Exception>();
        using var reactor = ReactorKind.Create(mode, failures.Add);
        reactor.Start();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        reactor.Run(() => throw new InvalidOperationException("a defect"));
        reactor.Run(done.SetResult);

        await done.Task.WaitAsync(Wait.Bound);
        Assert.Equal("a defect", Assert.Single(failures).Message);
    }

    // What failed may well be the log.
    [Fact]
    public async Task ReportThatThrowsItself_LeavesTheThreadRunning()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var reactor = ReactorKind.Create(mode, exception => throw exception);
        reactor.Start();
        using var loopback = new Loopback(reactor);
        var (client, clientFd) = loopback.Connect();
        var (backend, backendFd) = loopback.Connect();
        var witness = new PairWitness { OnEnded = () => throw new InvalidOperationException("the log is full") };
        reactor.Run(() => PairRelay.Of(reactor)
            .Join(new RawSocket(reactor, clientFd).ReleaseWatched(), new RawSocket(reactor, backendFd).ReleaseWatched(), witness, default));
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        reactor.Run(() => throw new InvalidOperationException("a defect"));
        reactor.Run(() => PairRelay.Of(reactor).End(EndReason.Shutdown));
        reactor.Run(done.SetResult);

        await done.Task.WaitAsync(Wait.Bound);
        Assert.Equal(1, witness.Ends);
        client.Dispose();
        backend.Dispose();
    }

    // An owner that throws is a defect; it ends its own pair and nobody else's.
    [Fact]
    public async Task OwnerThatThrows_EndsItsOwnPairAsFailed()
    {
        ReactorKind.SkipUnlessThere(mode);
        var failures = new List<Exception>();
        using var reactor = ReactorKind.Create(mode, failures.Add);
        reactor.Start();
        using var loopback = new Loopback(reactor);
        var (bad, good) = (new PairWitness { OnToBackend = () => throw new InvalidOperationException("a defect") }, new PairWitness());
        var (badClient, badBackend) = Join(bad);
        var (goodClient, goodBackend) = Join(good);

        await badClient.SendAsync("x"u8.ToArray(), Wait.Token());
        Assert.Equal(EndReason.Failed, await bad.Ended.WaitAsync(Wait.Bound));
        await goodClient.SendAsync("y"u8.ToArray(), Wait.Token());
        Assert.Equal(1, await goodBackend.ReceiveAsync(new byte[1], Wait.Token()));

        Assert.Single(failures);
        foreach (var socket in new[] { badClient, badBackend, goodClient, goodBackend }) socket.Dispose();

        (Socket Client, Socket Backend) Join(PairWitness witness)
        {
            var (client, clientFd) = loopback.Connect();
            var (backend, backendFd) = loopback.Connect();
            reactor.Run(() => PairRelay.Of(reactor).Join(
                new RawSocket(reactor, clientFd).ReleaseWatched(), new RawSocket(reactor, backendFd).ReleaseWatched(), witness, default));
            return (client, backend);
        }
    }

    // A handshake may outlive the host's services. The descriptor that woke the reactor is another's by then.
    [Fact]
    public async Task UseOfAStoppedReactor_TouchesNobodyElsesDescriptors()
    {
        await using var rig = new RelayRig(mode);
        var (outer, inner) = rig.Connect();
        using var socket = new RawSocket(rig.Reactor, inner);
        _ = socket.Left;
        rig.Stop();
        await using var next = new RelayRig(mode);
        var fresh = new List<(Socket Outer, int Inner)>();
        for (var i = 0; i < 16; i++) fresh.Add(next.Connect());

        rig.Reactor.Run(() => { });
        socket.Dispose();
        Assert.Throws<IOException>(() => rig.Reactor.Watch(fresh[0].Inner, new Listener(), Signals.Readable));

        Assert.All(fresh, connection => Assert.Equal(0, connection.Outer.Available));
        foreach (var connection in fresh)
        {
            connection.Outer.Dispose();
            SocketOptions.Close(connection.Inner, isReset: false);
        }

        outer.Dispose();
    }

    [Fact]
    public async Task Run_BehindTheReactorsEnd_IsDoneOnTheCallersThread()
    {
        await using var rig = new RelayRig(mode);
        rig.Stop();
        var thread = 0;

        rig.Reactor.Run(() => thread = Environment.CurrentManagedThreadId);

        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public async Task Pair_ThatIsJoinedBehindTheReactorsEnd_EndsAtOnceAndClosesBothSockets()
    {
        await using var rig = new RelayRig(mode);
        var (client, clientFd) = rig.Connect();
        var (backend, backendFd) = rig.Connect();
        var (clientSocket, backendSocket) = (new RawSocket(rig.Reactor, clientFd).ReleaseWatched(), new RawSocket(rig.Reactor, backendFd).ReleaseWatched());
        var witness = new PairWitness();
        rig.Stop();

        rig.Reactor.Run(() => PairRelay.Of(rig.Reactor).Join(clientSocket, backendSocket, witness, default));

        await witness.Ended.WaitAsync(Wait.Bound);
        Assert.Equal(1, witness.Ends);
        foreach (var outer in new[] { client, backend })
        {
            await using var peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
            Assert.False(await peer.EndsInOrderAsync());
        }
    }

    [Fact]
    public async Task AwaitRoom_BehindTheReactorsEnd_TouchesNothing()
    {
        await using var rig = new RelayRig(mode);
        var (outer, fd) = rig.Connect();
        await using var peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        var socket = new RawSocket(rig.Reactor, fd).ReleaseWatched();
        rig.Stop();

        rig.Reactor.Run(() =>
        {
            rig.Reactor.AwaitRoom(socket.Number);
            rig.Reactor.Pause(socket.Number);
            rig.Reactor.Resume(socket.Number);
            rig.Reactor.Close(socket.Number, isReset: true);
        });

        Assert.False(await peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Dispose_OnItsOwnThread_DoesNotWaitForItself()
    {
        await using var rig = new RelayRig(mode);
        var isDisposed = await rig.DoAsync(() =>
        {
            rig.Reactor.Dispose();
            return true;
        });

        Assert.True(isDisposed);
        rig.Stop();
    }

    [Fact]
    public void Dispose_OfOneThatNeverStarted_DoesNotWait()
    {
        ReactorKind.SkipUnlessThere(mode);
        ReactorKind.Create(mode, _ => { }).Dispose();
    }

    /// <summary>Sees how many have begun in a turn.</summary>
    private sealed class Turns(List<int> begun) : IResident
    {
        private int _before;

        public int Most { get; private set; }

        public int NextLook() => -1;

        public void Look() => (Most, _before) = (Math.Max(Most, begun.Count - _before), begun.Count);

        public void End(EndReason reason)
        {
        }
    }

    private sealed class Listener : IWatcher
    {
        private volatile bool _wasTold;

        public bool WasTold => _wasTold;

        public void Signal(Signals signals) => _wasTold |= (signals & Signals.PeerLeft) != 0;
    }

    public sealed class OnEpoll() : ReactorTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : ReactorTests(ReactorMode.IoUring);
}
