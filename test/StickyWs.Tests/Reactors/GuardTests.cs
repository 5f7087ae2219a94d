using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Transport;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>Whatever throws on a reactor's thread costs its own socket: it is reported once, and the thread goes on serving the others.</summary>
public abstract class GuardTests : IDisposable
{
    private readonly List<string> _failures = [];
    private readonly SocketReactor _reactor;
    private readonly Loopback _loopback;

    protected GuardTests(ReactorMode mode)
    {
        _reactor = ReactorKind.Create(mode, failure => _failures.Add(failure.Message)); // Told on the reactor's thread alone.
        _reactor.Start();
        _loopback = new Loopback(_reactor);
    }

    public static TheoryData<string, bool> Callbacks { get; } = new MatrixTheoryData<string, bool>(["Received", "Finished", "Broken", "Sent"], [false, true]);

    public void Dispose()
    {
        _loopback.Dispose();
        _reactor.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Callbacks))]
    public async Task Party_WhoThrows_LosesItsSocketAlone(string callback, bool failsToFail)
    {
        var (outer, fd) = _loopback.Connect();
        var (sound, soundFd) = _loopback.Connect();
        using (outer)
        using (sound)
        {
            var bad = new Party(_reactor) { Throws = callback, FailsToFail = failsToFail };
            var good = new Party(_reactor);
            Begin(fd, bad);
            Begin(soundFd, good);
            if (callback == "Received") outer.Send("x"u8);
            else if (callback == "Finished") outer.Shutdown(SocketShutdown.Send);
            else if (callback == "Broken") outer.Close(0);
            else _reactor.Run(() => _reactor.AwaitRoom(bad.Socket));

            await bad.Failed.WaitAsync(Wait.Bound);
            sound.Send("y"u8);
            await good.Received.WaitAsync(Wait.Bound);

            if (callback != "Broken") await AssertBrokenAsync(outer);
            Assert.Equal(failsToFail ? ["a defect", "another defect"] : ["a defect"], await FailuresAsync());
        }
    }

    [Fact]
    public async Task Watcher_WhoThrows_IsReportedAndOthersAreTold()
    {
        var (outer, fd) = _loopback.Connect();
        var (sound, soundFd) = _loopback.Connect();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var bad = _reactor.Watch(fd, new Watcher(() => throw new InvalidOperationException("a defect")), Signals.Readable);
        outer.Dispose();
        await Wait.UntilAsync(async () => (await FailuresAsync()).Length > 0);
        var good = _reactor.Watch(soundFd, new Watcher(() => told.TrySetResult()), Signals.Readable);
        sound.Send("y"u8);

        await told.Task.WaitAsync(Wait.Bound);
        Assert.All(await FailuresAsync(), failure => Assert.Equal("a defect", failure));
        Forget(bad, fd);
        Forget(good, soundFd);
        sound.Dispose();
    }

    // Of a request that is under way, say: what the application does when its client leaves.
    [Fact]
    public async Task CallbackOfAClientsLeaving_ThatThrows_IsReportedAndOthersAreServed()
    {
        var (outer, fd) = _loopback.Connect();
        using var socket = new RawSocket(_reactor, fd);
        using var registration = socket.Left.Register(() => throw new InvalidOperationException("a defect"));
        outer.Dispose();

        await Wait.UntilAsync(async () => (await FailuresAsync()).Length > 0);
        await AssertServesAsync();
        Assert.Contains("a defect", Assert.Single(await FailuresAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_WithAnOwnerWhoThrows_EndsAllThatAreOverdue()
    {
        var witnesses = Enumerable.Range(0, 3).Select(_ => new PairWitness { OnEnded = () => throw new InvalidOperationException("a defect") }).ToArray();
        var outers = new List<Socket>();
        foreach (var witness in witnesses)
        {
            var (client, clientFd) = _loopback.Connect();
            var (backend, backendFd) = _loopback.Connect();
            outers.AddRange([client, backend]);
            Join(clientFd, backendFd, witness, new PairLimits(Idle: TimeSpan.FromMilliseconds(100)));
        }

        await Wait.UntilAsync(() => witnesses.All(witness => witness.Ends == 1));
        await AssertServesAsync();

        Assert.Equal(["a defect", "a defect", "a defect"], await FailuresAsync());
        outers.ForEach(outer => outer.Dispose());
    }

    [Fact]
    public async Task Stop_WithPartiesWhoThrow_EndsTheOthersAndTheThread()
    {
        var (bad, good) = (new Party(_reactor) { FailsToFail = true }, new Party(_reactor));
        var (badOuter, badFd) = _loopback.Connect();
        var (goodOuter, goodFd) = _loopback.Connect();
        Begin(badFd, bad);
        Begin(goodFd, good);
        await FailuresAsync();

        _reactor.Dispose();

        Assert.True(bad.Failed.IsCompleted);
        Assert.True(good.Failed.IsCompleted);
        var isDone = false;
        _reactor.Run(() => isDone = true);
        Assert.True(isDone);
        await AssertBrokenAsync(badOuter);
        await AssertBrokenAsync(goodOuter);
        badOuter.Dispose();
        goodOuter.Dispose();
    }

    // Where applications run on the reactor's thread, a reader goes on within the end of what it reads.
    [Fact]
    public async Task ReaderOfAChannel_WhoThrowsAtTheEnd_KeepsNobodyFromHearingOfIt()
    {
        var (outer, fd) = _loopback.Connect();
        var owner = new ChannelWitness();
        var channel = new Channel(new RawSocket(_reactor, fd), owner,
            new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false), isReadToTheEnd: false);
        channel.Start();
        ThrowWhenRead(channel.Input);
        outer.Shutdown(SocketShutdown.Send);

        await owner.Ended.WaitAsync(Wait.Bound);
        await AssertServesAsync();
        Assert.Equal(1, owner.Ends);
        Assert.Equal(["a defect"], await FailuresAsync());
        channel.Close(new ObjectDisposedException("the test"), isReset: true);
        outer.Dispose();
    }

#pragma warning disable CA2012 // Its continuation is to throw, as no method that awaits does.
    private static void ThrowWhenRead(PipeReader reader)
        => reader.ReadAsync().GetAwaiter().UnsafeOnCompleted(() => throw new InvalidOperationException("a defect"));
#pragma warning restore CA2012

    private void Begin(int fd, Party party)
    {
        party.Socket = new RawSocket(_reactor, fd).ReleaseWatched().Number;
        _reactor.Run(() => _reactor.BeginStream(party.Socket, party));
    }

    private void Join(int client, int backend, PairWitness witness, PairLimits limits)
        => _reactor.Run(() => PairRelay.Of(_reactor)
            .Join(new RawSocket(_reactor, client).ReleaseWatched(), new RawSocket(_reactor, backend).ReleaseWatched(), witness, limits));

    private void Forget(int socket, int fd)
    {
        _reactor.Unwatch(socket);
        SocketOptions.Close(fd, isReset: false);
    }

    private async Task AssertServesAsync()
    {
        var (outer, fd) = _loopback.Connect();
        var party = new Party(_reactor);
        Begin(fd, party);
        outer.Send("z"u8);
        await party.Received.WaitAsync(Wait.Bound);
        outer.Dispose();
    }

    private Task<string[]> FailuresAsync() => DoAsync(() => _failures.ToArray());

    private async Task<T> DoAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reactor.Run(() => done.SetResult(work()));
        return await done.Task.WaitAsync(Wait.Bound);
    }

    private static async Task AssertBrokenAsync(Socket outer)
    {
        var failure = await Record.ExceptionAsync(async () => await outer.ReceiveAsync(new byte[1], Wait.Token()));
        Assert.IsType<SocketException>(failure);
    }

    private sealed class Watcher(Action signalled) : IWatcher
    {
        public void Signal(Signals signals) => signalled();
    }

    private sealed class Party(Reactor reactor) : IStreamHandler
    {
        private readonly TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? Throws { get; init; }

        public bool FailsToFail { get; init; }

        public int Socket { get; set; }

        public Task Received => _received.Task;

        public Task Failed => _failed.Task;

        void IStreamHandler.Received(int socket, in Piece piece)
        {
            Throw("Received");
            _received.TrySetResult();
        }

        void IStreamHandler.Spliced(int socket, int count) => throw new NotSupportedException();

        void IStreamHandler.Stalled(int socket) => throw new NotSupportedException();

        void IStreamHandler.Finished(int socket)
        {
            Throw("Finished");
            reactor.Close(socket, isReset: false);
        }

        void IStreamHandler.Sent(int socket) => Throw("Sent");

        void IStreamHandler.Broken(int socket, Errno error)
        {
            Throw("Broken");
            reactor.Close(socket, isReset: true);
        }

        void IStreamHandler.BrokenWhilePaused(int socket)
        {
        }

        void IStreamHandler.Fail(int socket)
        {
            _failed.TrySetResult();
            if (FailsToFail) throw new InvalidOperationException("another defect");
            reactor.Close(socket, isReset: true);
        }

        private void Throw(string callback)
        {
            if (callback == Throws) throw new InvalidOperationException("a defect");
        }
    }

    public sealed class OnEpoll() : GuardTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : GuardTests(ReactorMode.IoUring)
    {
        // Whoever sends goes on within this, and may be the application's code.
        [Fact]
        public async Task GatheredSend_WhoseSenderThrows_HoldsUpNoOther()
        {
            var (badOuter, badFd) = _loopback.Connect();
            var (goodOuter, goodFd) = _loopback.Connect();
            using (badOuter)
            using (goodOuter)
            {
                var (bad, good) = (new Party(_reactor), new Party(_reactor));
                Begin(badFd, bad);
                Begin(goodFd, good);
                var (failing, sound) = (new Sending(() => throw new InvalidOperationException("a defect")), new Sending(() => { }));
                var isGathered = await DoAsync(() => _reactor.TryGather(bad.Socket, failing) & _reactor.TryGather(good.Socket, sound));

                Assert.True(isGathered);
                Assert.Equal(1, await sound.Done.WaitAsync(Wait.Bound));
                Assert.Equal(1, await goodOuter.ReceiveAsync(new byte[1], Wait.Token()));
                await bad.Failed.WaitAsync(Wait.Bound);
                Assert.Equal(1, await failing.Done.WaitAsync(Wait.Bound));
                await AssertServesAsync();
                Assert.Equal(["a defect"], await FailuresAsync());
            }
        }

        // A poll that the kernel refuses must not leave its watcher waiting for ever.
        [Fact]
        public async Task Watch_OfWhatTheKernelCannotPoll_TellsTheWatcher()
        {
            var told = new TaskCompletionSource<Signals>(TaskCreationOptions.RunContinuationsAsynchronously);
            var socket = _reactor.Watch(1_000_000, new Noting(told), Signals.Readable);

            Assert.True((await told.Task.WaitAsync(Wait.Bound)).HasFlag(Signals.PeerLeft));
            _reactor.Unwatch(socket);
            await AssertServesAsync();
            Assert.Empty(await FailuresAsync());
        }

        private sealed class Noting(TaskCompletionSource<Signals> told) : IWatcher
        {
            public void Signal(Signals signals) => told.TrySetResult(signals);
        }

        private sealed class Sending(Action done) : IGatheredSend
        {
            private readonly byte[] _byte = GC.AllocateArray<byte>(1, pinned: true);
            private readonly TaskCompletionSource<int> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public Task<int> Done => _done.Task;

            bool IGatheredSend.IsAwaited => true;

            (nint Start, int Length) IGatheredSend.Bytes => (Marshal.UnsafeAddrOfPinnedArrayElement(_byte, 0), 1);

            void IGatheredSend.Done(int result)
            {
                _done.TrySetResult(result);
                done();
            }
        }
    }
}
