using System.Collections.Concurrent;
using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tls;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>One reactor that runs, and real sockets for it. On Linux only.</summary>
internal sealed class RelayRig : IAsyncDisposable
{
    private readonly ConcurrentQueue<Exception> _failures = new();
    private readonly List<RelayedPair> _pairs = [];
    private readonly Loopback _loopback;
    private bool _isStopped;

    public RelayRig(ReactorMode mode, int mostPipes = 256, bool isOlder = false, TimeProvider? time = null)
        : this(onFailure => ReactorKind.Create(mode, onFailure, mostPipes, isOlder, time))
    {
    }

    public RelayRig(Func<Action<Exception>, SocketReactor> create)
    {
        Reactor = create(_failures.Enqueue);
        Reactor.Start();
        _loopback = new Loopback(Reactor);
    }

    public SocketReactor Reactor { get; }

    /// <summary>On io_uring, with small sends of other threads in batches however few there are.</summary>
    public static RelayRig ThatGathers() => new(onFailure => new UringReactor(0, onFailure) { AlwaysGathers = true });

    /// <summary>Has the runtime open what it opens once and keeps, before descriptors are counted.</summary>
    public static async Task WarmUpAsync(ReactorMode mode)
    {
        await using var rig = new RelayRig(mode);
        var pair = await rig.JoinAsync();
        await pair.Client.WriteAsync("x");
        await pair.Backend.ReadTextAsync(1);
    }

    /// <summary>A connection whose inner end is nobody's yet.</summary>
    public (Socket Outer, int Inner) Connect() => _loopback.Connect();

    public Loopback Loopback => _loopback;

    /// <summary>Two connections that the relay joins.</summary>
    /// <param name="limits">Its limits.</param>
    /// <param name="configure">Is given both outer ends.</param>
    /// <param name="clientTls">TLS on the client's side.</param>
    /// <param name="backendTls">TLS on the backend's side.</param>
    /// <param name="configureInner">Is given both inner ends.</param>
    public async Task<RelayedPair> JoinAsync(
        PairLimits limits = default, Action<Socket>? configure = null, TlsStart? clientTls = null, TlsStart? backendTls = null,
        Action<Socket>? configureInner = null)
    {
        var (client, clientFd) = Connect();
        var (backend, backendFd) = Connect();
        configure?.Invoke(client);
        configure?.Invoke(backend);
        foreach (var fd in configureInner is null ? [] : (int[])[clientFd, backendFd])
        {
            using var inner = new Socket(new SafeSocketHandle(fd, ownsHandle: false));
            configureInner!(inner);
        }

        var witness = new PairWitness();
        var number = await DoAsync(() => Join(clientFd, backendFd, witness, limits, clientTls, backendTls));
        var pair = new RelayedPair(client, backend, witness, number, clientFd, backendFd);
        _pairs.Add(pair);
        return pair;
    }

    /// <summary>Hands two descriptors over to the relay. On the reactor's thread.</summary>
    public int Join(
        int client, int backend, PairWitness witness, PairLimits limits = default, TlsStart? clientTls = null, TlsStart? backendTls = null)
        => PairRelay.Of(Reactor).Join(new RawSocket(Reactor, client).ReleaseWatched(), new RawSocket(Reactor, backend).ReleaseWatched(), witness, limits,
            clientTls, backendTls);

    /// <summary>Does something on the reactor's thread.</summary>
    public async Task<T> DoAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Reactor.Run(() => done.SetResult(work()));
        return await done.Task.WaitAsync(Wait.Bound);
    }

    /// <summary>Returns when the reactor has served all that the kernel had reported by now.</summary>
    public async Task TurnAsync()
    {
        for (var i = 0; i < 3; i++) await DoAsync(() => 0);
    }

    /// <summary>Holds the reactor's thread until the result is disposed, so that what happens meanwhile comes in one turn.</summary>
    public async Task<IDisposable> HoldAsync()
    {
        var gate = new ManualResetEventSlim();
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Reactor.Run(() =>
        {
            isHeld.SetResult();
            gate.Wait(Wait.Bound);
        });
        await isHeld.Task.WaitAsync(Wait.Bound);
        return new Release(gate);
    }

    /// <summary>Stops the reactor; its pairs end.</summary>
    public void Stop()
    {
        if (_isStopped) return;
        _isStopped = true;
        _loopback.Dispose();
        Reactor.Dispose();
    }

    /// <summary>Nothing may be left behind, whatever the test did.</summary>
    public async ValueTask DisposeAsync()
    {
        // What waited for a socket went on in the reactor, which cannot wait for its own end.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Stop();
        foreach (var pair in _pairs)
        {
            await pair.DisposeAsync();
            await pair.Witness.Ended.WaitAsync(Wait.Bound);
            Assert.Equal(1, pair.Witness.Ends);
        }

        Assert.Empty(_failures);
        Assert.Equal(0, PairRelay.Of(Reactor).Pairs);
        Assert.Equal(0, Reactor.Pipes);
        ReactorKind.AssertNothingIsInUse(Reactor);
    }

    private sealed class Release(ManualResetEventSlim gate) : IDisposable
    {
        public void Dispose() => gate.Set();
    }
}
