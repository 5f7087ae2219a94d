using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Transport;

/// <summary>
/// A kernel that refuses to wait (epoll_wait(2), io_uring_enter(2) fail) and comes to its senses: nothing spins meanwhile, and listeners go on
/// afterwards.
/// </summary>
[Collection(nameof(Alone))]
public abstract partial class RecoveryTests(ReactorMode mode)
{
    private readonly List<Exception> _failures = [];
    private readonly FakeLogger _log = new();

    [Fact]
    public async Task Listener_OfAReactorThatCouldNotWait_AcceptsAgain()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var settings = new ChannelSettings(new SocketTransportOptions(), new TransportOptions());
        using var reactors = Start(1, out var kernels);
        await using var listener = new RawListener(ListeningSocket.Open(), reactors, settings, TimeProvider.System, _log);
        await ConnectAsync(listener, listener.AcceptAsync(Wait.Token()));
        var accepting = listener.AcceptAsync(Wait.Token());

        var fault = new Fault(kernels[0]);
        reactors.First.Run(() => { });
        await Wait.UntilAsync(() => reactors.First.IsAiling);
        await PassAsync(reactors.First);
        fault.End();
        await Wait.UntilAsync(() => !reactors.First.IsAiling);
        await ConnectAsync(listener, accepting);

        for (var i = 0; i < 3; i++) await ConnectAsync(listener, listener.AcceptAsync(Wait.Token()));
        Assert.IsType<IOException>(Assert.Single(_failures)); // However many turns have failed.
        if (mode == ReactorMode.IoUring) Assert.Single(_log.Collector.GetSnapshot(), record => record.Id.Name == "ListenerBlind");
    }

    [Fact]
    public async Task Pairs_OfAReactorThatCouldNotWait_EndOrGoOnAndNewOnesAreServed()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var reactors = Start(1, out var kernels);
        using var loopback = new Loopback(reactors.First);
        var before = Join(loopback, reactors.First);
        await EchoAsync(before);

        var fault = new Fault(kernels[0]);
        reactors.First.Run(() => { });
        await Wait.UntilAsync(() => reactors.First.IsAiling);
        fault.End();
        await Wait.UntilAsync(() => !reactors.First.IsAiling);

        if (mode == ReactorMode.Epoll) await EchoAsync(before);
        else await before.Witness.Ended.WaitAsync(Wait.Bound);
        await EchoAsync(Join(loopback, reactors.First));
    }

    [Fact]
    public async Task Next_WhileAReactorCannotWait_IsAnother()
    {
        ReactorKind.SkipUnlessThere(mode);
        using var reactors = Start(3, out var kernels);
        var all = new[] { reactors.Next(), reactors.Next(), reactors.Next() };
        Assert.Equal(3, all.Distinct().Count());
        var fault = new Fault(kernels[1]);
        foreach (var reactor in all) reactor.Run(() => { });
        await Wait.UntilAsync(() => all.Count(reactor => reactor.IsAiling) == 1);

        for (var i = 0; i < 10; i++) Assert.False(reactors.Next().IsAiling);

        fault.End();
        await Wait.UntilAsync(() => all.All(reactor => !reactor.IsAiling));
        Assert.Equal(3, Enumerable.Range(0, 3).Select(_ => reactors.Next()).Distinct().Count());
    }

    // The kernel's objects that the reactors wait with are those that came with them.
    private ReactorGroup Start(int count, out int[] kernels)
    {
        var before = Kernels();
        var reactors = ReactorGroup.Start(mode, count, failure =>
        {
            lock (_failures) _failures.Add(failure);
        });
        kernels = [.. Kernels().Except(before)];
        Assert.Equal(count, kernels.Length);
        return reactors;
    }

    private int[] Kernels()
    {
        var kind = mode == ReactorMode.IoUring ? "anon_inode:[io_uring]" : "anon_inode:[eventpoll]";
        var paths = Directory.EnumerateFileSystemEntries("/proc/self/fd").Where(path => new FileInfo(path).LinkTarget == kind);
        return [.. paths.Select(path => int.Parse(Path.GetFileName(path), null)).Order()];
    }

    private static (Wire Client, Wire Backend, PairWitness Witness) Join(Loopback loopback, Reactor reactor)
    {
        var (client, clientFd) = loopback.Connect();
        var (backend, backendFd) = loopback.Connect();
        var witness = new PairWitness();
        reactor.Run(() => PairRelay.Of(reactor).Join(
            new RawSocket(reactor, clientFd).ReleaseWatched(), new RawSocket(reactor, backendFd).ReleaseWatched(), witness, default));
        return (new Wire(client, new NetworkStream(client, ownsSocket: true)), new Wire(backend, new NetworkStream(backend, ownsSocket: true)), witness);
    }

    private static async Task EchoAsync((Wire Client, Wire Backend, PairWitness Witness) pair)
    {
        await pair.Client.WriteAsync("x");
        Assert.Equal("x", await pair.Backend.ReadTextAsync(1));
    }

    private static async Task ConnectAsync(RawListener listener, ValueTask<Microsoft.AspNetCore.Connections.ConnectionContext?> accepting)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.EndPoint, Wait.Token());
        var connection = await accepting.AsTask().WaitAsync(Wait.Bound);
        Assert.NotNull(connection);
        await connection.DisposeAsync();
    }

    private static async Task PassAsync(Reactor reactor)
    {
        for (var i = 0; i < 3; i++)
        {
            var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            reactor.Run(passed.SetResult);
            await passed.Task.WaitAsync(Wait.Bound);
        }
    }

    /// <summary>Has a descriptor be another thing for a while.</summary>
    private sealed class Fault
    {
        private readonly int _fd;
        private readonly int _own;

        public Fault(int fd)
        {
            using var other = File.OpenHandle("/dev/null");
            (_fd, _own) = (fd, Duplicate(fd));
            Assert.Equal(fd, Replace((int)other.DangerousGetHandle(), fd));
        }

        public void End()
        {
            Assert.Equal(_fd, Replace(_own, _fd));
            SocketOptions.Close(_own, isReset: false);
        }
    }

    [DllImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Duplicate(int fd);

    [DllImport("libc", EntryPoint = "dup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Replace(int from, int to);

    public sealed class OnEpoll() : RecoveryTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RecoveryTests(ReactorMode.IoUring);
}
