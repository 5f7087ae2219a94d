using System.Collections.Concurrent;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tls;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>
/// Everything at once, until there were millions of events: hundreds of pairs on two reactors, with peers that send, stall, finish and break at
/// random; without TLS, and with it on one side or on both.
/// </summary>
[Collection(nameof(Alone))]
public abstract class RelayStressTests(ReactorMode mode, long events, bool isTls = false)
{
    private const int Drivers = 2;
    private const int PairsOfADriver = 150;

    private readonly ConcurrentQueue<Exception> _failures = new();
    private long _events;
    private int _seed = 20_260_000;
    private int _pairs;
    private StressTls? _tls;

    [Fact]
    public async Task MillionsOfEvents_EndEveryPairOnceAndLeaveNothingBehind()
    {
        ReactorKind.SkipUnlessThere(mode);
        if (isTls) Assert.SkipUnless(TlsSupport.FirstRefusal() is null, TlsSupport.FirstRefusal() ?? "");
        using var tls = isTls ? new StressTls() : null;
        _tls = tls;
        using var pool = new PoolWatch();
        WarmUp();
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());
        var reactors = ReactorGroup.Start(mode, 2, _failures.Enqueue);
        SocketReactor[] each = [(SocketReactor)reactors.Next(), (SocketReactor)reactors.Next()];
        Assert.NotSame(each[0], each[1]);

        var leftOpen = await Task.WhenAll(Enumerable.Range(0, Drivers).Select(i => Task.Factory.StartNew(
            () => Drive(each[i % each.Length]), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.Empty(_failures);
        Assert.InRange(Volatile.Read(ref _events), events, long.MaxValue);
        Assert.InRange(_pairs, Drivers * PairsOfADriver, int.MaxValue);

        // Those that were in the midst of it end with their reactor.
        reactors.Dispose();
        foreach (var pair in leftOpen.SelectMany(pairs => pairs))
        {
            await pair.Witness.Ended.WaitAsync(Wait.Bound);
            Assert.True(pair.Witness.Ends == 1, $"Pair of seed {pair.Seed}: told {pair.Witness.Ends} times of its end.");
            pair.Close();
        }

        Assert.Empty(_failures);
        Assert.All(each, reactor => Assert.Equal((0, 0, 0), (PairRelay.Of(reactor).Pairs, reactor.Count, reactor.Pipes)));
        Assert.All(each, ReactorKind.AssertNothingIsInUse);
        tls?.AssertNothingIsLeft();
        Assert.NotEqual(0, pool.RentedSoFar);
        Assert.Equal(pool.RentedSoFar, pool.ReturnedSoFar);
        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    // What the runtime opens once and keeps.
    private void WarmUp()
    {
        using var reactors = ReactorGroup.Start(mode, 1, _ => { });
        using var loopback = new Loopback(reactors.First);
        var (outer, inner) = loopback.Connect();
        outer.Dispose();
        SocketOptions.Close(inner, isReset: false);
    }

    private List<StressPair> Drive(Reactor reactor)
    {
        using var loopback = new Loopback(reactor);
        var pairs = new List<StressPair>();
        var order = new Random(1);
        while (true)
        {
            while (pairs.Count < PairsOfADriver) pairs.Add(Open(reactor, loopback));
            for (var i = 0; i < 64; i++)
            {
                var at = order.Next(pairs.Count);
                Step(pairs[at]);
                if (!pairs[at].IsOver) continue;
                Finish(pairs[at]);
                pairs[at] = Open(reactor, loopback);
            }

            if (Volatile.Read(ref _events) >= events) return pairs;
        }
    }

    private StressPair Open(Reactor reactor, Loopback loopback)
    {
        Interlocked.Increment(ref _pairs);
        return new StressPair(Interlocked.Increment(ref _seed), reactor, loopback, _tls);
    }

    private static void Step(StressPair pair)
    {
        try
        {
            pair.Step();
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"Pair of seed {pair.Seed}: {e.Message}", e);
        }
    }

    private void Finish(StressPair pair)
    {
        if (pair.Verdict() is { } wrong) throw new InvalidOperationException($"Pair of seed {pair.Seed}: {wrong}.");
        Interlocked.Add(ref _events, pair.Events);
        pair.Close();
    }

    public sealed class OnEpoll() : RelayStressTests(ReactorMode.Epoll, 1_000_000);

    public sealed class OnIoUring() : RelayStressTests(ReactorMode.IoUring, 3_000_000);

    public sealed class OnEpollWithTls() : RelayStressTests(ReactorMode.Epoll, 1_000_000, isTls: true);

    public sealed class OnIoUringWithTls() : RelayStressTests(ReactorMode.IoUring, 1_000_000, isTls: true);
}
