using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.Tests.Backends;

/// <summary>What a line does for thousands who come back at once: their deadlines, and whom a place is for, without looking at each of them.</summary>
public sealed class WaitLineCostTests
{
    private const int Many = 2000;

    private readonly CountingTime _time = new();

    [Fact]
    public async Task WaitAsync_ThousandsInALine_ShareOneTimer()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var before = _time.Timers;

        var waits = Enumerable.Range(0, Many).Select(_ => WaitAsync(pool, Any(pool), TimeSpan.FromSeconds(5))).ToArray();

        Assert.Equal(before + 1, _time.Timers);
        Assert.InRange(_time.Changes, 1, 2);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.All(await Task.WhenAll(waits), end => Assert.Equal(WaitEnd.TimedOut, end));
        held.Dispose();
        Assert.Equal((0, 0), (pool.Lines.Handshakes.Count, pool.Backends[0].ActiveHandshakes));
    }

    // One that was tried elsewhere before has less time left than those in front of it.
    [Fact]
    public async Task WaitAsync_DeadlinesInAnyOrder_EndEachAtItsOwn()
    {
        var pool = Crowded(1);
        Taken(pool.Backends[0]);
        int[] seconds = [5, 3, 9, 1, 3, 7];
        var waits = Array.ConvertAll(seconds, longest => WaitAsync(pool, Any(pool), TimeSpan.FromSeconds(longest)));

        for (var now = 1; now <= 9; now++)
        {
            _time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
            Assert.Equal(seconds.Count(longest => longest < now), waits.Count(wait => wait.IsCompleted));
            _time.Advance(TimeSpan.FromTicks(1));
            for (var i = 0; i < seconds.Length; i++)
            {
                if (seconds[i] == now) Assert.Equal(WaitEnd.TimedOut, await waits[i]);
            }

            Assert.Equal(seconds.Count(longest => longest <= now), waits.Count(wait => wait.IsCompleted));
        }
    }

    [Fact]
    public async Task WaitAsync_FirstToBeOverdueWasServed_TheNextStillEndsInTime()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var (first, second) = (WaitAsync(pool, Any(pool), TimeSpan.FromSeconds(1)), WaitAsync(pool, Any(pool), TimeSpan.FromSeconds(2)));
        held.Dispose();
        Assert.Equal(WaitEnd.Granted, await first);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(WaitEnd.TimedOut, await second);
        var third = WaitAsync(pool, Any(pool), TimeSpan.FromSeconds(1)); // After a time in which nobody waited.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WaitEnd.TimedOut, await third);
    }

    [Fact]
    public async Task WaitAsync_OneOfThousandsLeaves_IsForgottenAtOnce()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        using var leaving = new CancellationTokenSource();
        var waits = Enumerable.Range(0, Many).Select(i => pool.Lines.Handshakes
            .WaitAsync(Any(pool), Many, TimeSpan.FromSeconds(5), i % 2 == 0 ? leaving.Token : CancellationToken.None).AsTask()).ToArray();

        await leaving.CancelAsync();

        Assert.All(await Task.WhenAll(waits.Where((_, i) => i % 2 == 0)), end => Assert.Equal(WaitEnd.Left, end));
        Assert.Equal(Many / 2, pool.Lines.Handshakes.Count);
        held.Dispose();
        Assert.Equal(WaitEnd.Granted, await waits[1]);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.All(await Task.WhenAll(waits.Where((_, i) => i % 2 == 1).Skip(1)), end => Assert.Equal(WaitEnd.TimedOut, end));
    }

    // Whatever the order in which they were tried, and whoever stands in between.
    [Fact]
    public async Task Freed_WaitersWhoTriedOthers_AreServedAsTheyCame()
    {
        var pool = Crowded(1, 1, 1);
        var held = Array.ConvertAll(pool.Backends.ToArray(), backend => Taken(backend));
        var (a, b, c) = (pool.Backends[0], pool.Backends[1], pool.Backends[2]);
        Waiter[] waiters = [Tried(b, a), Tried(b), Tried(a, b), Tried(), Tried(c), Tried(b)];
        var waits = Array.ConvertAll(waiters, waiter => WaitAsync(pool, waiter, TimeSpan.FromSeconds(5)));

        held[0].Dispose(); // Those who have not tried a: 1, 3, 4, 5.
        foreach (var next in new[] { 1, 3, 4, 5 })
        {
            Assert.Equal(WaitEnd.Granted, await waits[next]);
            Assert.Equal("a", waiters[next].Lease.Backend.Name);
            Assert.Equal(next, Array.FindLastIndex(waits, wait => wait.IsCompleted));
            waiters[next].Lease.Dispose();
        }

        held[2].Dispose(); // 0 and 2.
        Assert.Equal(WaitEnd.Granted, await waits[0]);
        Assert.False(waits[2].IsCompleted);
        waiters[0].Lease.Dispose();
        Assert.Equal(WaitEnd.Granted, await waits[2]);
        Assert.Equal("c", waiters[2].Lease.Backend.Name);

        Waiter Tried(params Backend[] tried) => new(pool, null, tried, int.MaxValue, null);
    }

    // Those who came before the change and those who came after it are one line.
    [Fact]
    public async Task Apply_PoolChangesWhileSomeWait_KeepsTheirOrder()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].MaxHandshakes = 1, 1), time: _time);
        var old = Fleet.PoolOf(registry);
        var held = Taken(old.Backends[0]);
        List<Task<WaitEnd>> waits = [WaitAsync(old, Any(old), TimeSpan.FromSeconds(5)), WaitAsync(old, Any(old), TimeSpan.FromSeconds(5))];
        List<Waiter> waiters = [];
        for (var change = 2; change < 5; change++)
        {
            registry.Apply(Fleet.Options(pool => (pool.Backends["a"].MaxHandshakes, pool.Queue.Length) = (1, 100 * change), 1));
            var pool = Fleet.PoolOf(registry);
            waiters.Add(Any(change % 2 == 0 ? pool : old));
            waits.Add(WaitAsync(pool, waiters[^1], TimeSpan.FromSeconds(5)));
        }

        held.Dispose();
        Assert.Equal(WaitEnd.Granted, await waits[0]);

        Assert.Equal(1, waits.Count(wait => wait.IsCompleted));
        foreach (var next in Enumerable.Range(1, 4))
        {
            old.Backends[0].Return(LeaseKind.Tunnel, isShaking: true);
            Assert.Equal(WaitEnd.Granted, await waits[next]);
            Assert.Equal(next + 1, waits.Count(wait => wait.IsCompleted));
        }
    }

    private PoolSnapshot Crowded(params int[] limits) => Fleet.PoolOf(Fleet.Registry(Fleet.Options(
        pool => { for (var i = 0; i < limits.Length; i++) pool.Backends[Fleet.Name(i)].MaxHandshakes = limits[i]; },
        Array.ConvertAll(limits, _ => 1)), time: _time));

    private static Waiter Any(PoolSnapshot pool) => new(pool, null, [], int.MaxValue, null);

    private static Lease Taken(Backend backend)
    {
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        return lease;
    }

    private static Task<WaitEnd> WaitAsync(PoolSnapshot pool, Waiter waiter, TimeSpan longest)
        => pool.Lines.Handshakes.WaitAsync(waiter, Many, longest, CancellationToken.None).AsTask().WaitAsync(Wait.Token());

    private sealed class CountingTime : FakeTimeProvider
    {
        public int Timers { get; private set; }

        public int Changes { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timers++;
            return new Counted(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Counted(CountingTime time, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                time.Changes++;
                return inner.Change(dueTime, period);
            }

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
