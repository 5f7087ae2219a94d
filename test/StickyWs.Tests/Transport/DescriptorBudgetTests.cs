using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Kernel;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class DescriptorBudgetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<DescriptorBudget> _log = new();
    private int _open = 200;
    private int _limit = 1024;
    private int _counts;

    [Theory]
    [InlineData(200, 256, 18)] // A third of what is free.
    [InlineData(250, 256, 8)]
    [InlineData(200, 512, 96)]
    [InlineData(200, 1024, 96)]
    [InlineData(200, 4096, 204)]
    [InlineData(200, 1_048_576, 52_428)]
    public void Reserve_OfALimit_IsATwentiethOrAtLeast96OrWhatASmallOneHas(int open, int limit, int expected)
    {
        (_open, _limit) = (open, limit);

        Assert.Equal(expected, Budget().Reserve);
    }

    [Fact]
    public void HasRoom_OfConnectionsThatKeepTheirBackendsPlace_EndsTwoDescriptorsEachBelowTheReserve()
    {
        var budget = Budget();
        var accepted = 0;
        while (budget.HasRoom)
        {
            Accept(budget);
            accepted++;
        }

        Assert.Equal((_limit - 96 - 200) / 2, accepted);
    }

    [Fact]
    public void HasRoom_WhenDescriptorsWereClosed_IsTrueAtTheNextCount()
    {
        var budget = Budget();
        var share = Fill(budget);
        Assert.False(budget.HasRoom);

        share.Settle();
        Assert.False(budget.HasRoom); // One was only kept.
        _open--;
        Assert.True(budget.HasRoom);
    }

    // A tunnel has its two, a plain client one and a part of its pool's.
    [Fact]
    public void Share_OfATunnelThatHasItsBackend_KeepsNothingMore()
    {
        var open = 0;
        var budget = new DescriptorBudget(_time, _log, () => new DescriptorCount(_open, _limit), () => open);
        while (budget.HasRoom)
        {
            var share = Accept(budget);
            Assert.True(TakeForBackend(budget));
            share.Settle();
            open++;
        }

        Assert.Equal((_limit - 96 - 200) / 2, open);
    }

    [Fact]
    public void Share_OfPlainHttp_IsMetByConnectionsInThePool()
    {
        var budget = Budget();
        var clients = 0;
        while (budget.HasRoom)
        {
            Accept(budget).Decide();
            Assert.True(TakeForBackend(budget));
            _ = budget.Pooled(Stream.Null);
            clients++;
        }

        Assert.Equal((_limit - 96 - 200) / 2, clients);
    }

    // Handshakes cannot use what a pool keeps.
    [Fact]
    public void Share_OfAConnectionNobodyKnows_IsNotMetByThePool()
    {
        var budget = Budget();
        for (var i = 0; i < 300; i++)
        {
            Assert.True(TakeForBackend(budget));
            _ = budget.Pooled(Stream.Null);
        }

        var accepted = 0;
        for (; budget.HasRoom; accepted++) Accept(budget);

        Assert.Equal((_limit - 96 - 500) / 2, accepted);
        for (var i = 0; i < accepted; i++) Assert.True(TakeForBackend(budget));
    }

    [Fact]
    public async Task Short_IsToldOnceASecond()
    {
        var told = 0;
        var budget = Budget();
        budget.Short += () => Interlocked.Increment(ref told);
        for (var i = 0; i < 5; i++) budget.SayShort();
        await Wait.UntilAsync(() => told == 1);

        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 5; i++) budget.SayShort();

        await Wait.UntilAsync(() => told >= 2);
        Assert.Equal(2, told);

        _time.Advance(TimeSpan.FromSeconds(1));
        budget.SayShort();
        await Wait.UntilAsync(() => told >= 3);
        Assert.Equal(3, told);
    }

    [Theory]
    [InlineData(3, 2, 1)]
    [InlineData(3, 3, 0)]
    [InlineData(3, 0, 3)]
    [InlineData(0, 4, 0)]
    public void Surplus_IsWhatIsKeptBeyondOneForEachClient(int pooled, int clients, int expected)
    {
        var budget = Budget();
        for (var i = 0; i < pooled; i++) _ = budget.Pooled(Stream.Null);
        for (var i = 0; i < clients; i++) Accept(budget).Decide();

        Assert.Equal(expected, budget.Surplus);
    }

    [Fact]
    public async Task Pooled_DisposedTwice_CountsOnce()
    {
        var budget = Budget();
        var streams = Enumerable.Range(0, 3).Select(_ => budget.Pooled(new MemoryStream())).ToArray();
        var shares = Enumerable.Range(0, 4).Select(_ => Accept(budget)).ToArray();
        foreach (var share in shares) share.Decide();
        await streams[0].DisposeAsync();
        await streams[0].DisposeAsync();
        _open = _limit - 96 - 2 - 2; // Two are kept for clients that the pool has nothing for.

        Assert.Equal(1, Accepted(budget));
    }

    [Fact]
    public void Settle_Twice_CountsOnce()
    {
        var budget = Budget();
        var (first, second) = (Accept(budget), Accept(budget));
        first.Settle();
        first.Settle();
        first.Decide();
        _open = _limit - 96 - 1 - 2;

        Assert.Equal(1, Accepted(budget));
        second.Settle();
    }

    [Fact]
    public void TryTakeForBackend_BeyondOnePerClient_StopsHalfwayIntoTheReserve()
    {
        var budget = Budget();
        _open = _limit - 96;
        _ = budget.Count();
        var taken = 0;
        while (TakeForBackend(budget)) taken++;

        Assert.Equal(48, taken);
        Assert.Equal(SocketError.TooManyOpenSockets, Assert.Throws<NoDescriptorException>(budget.TakeForBackend).SocketErrorCode);
    }

    // The runtime alone has nearly all, or a pool keeps what clients that have left made it open.
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void HasRoom_ForTheOnlyClient_IsTakenFromTheReserve(int tunnels, bool expected)
    {
        var budget = new DescriptorBudget(_time, _log, () => new DescriptorCount(_open, _limit), () => tunnels);
        _open = _limit - 50;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(expected, budget.HasRoom);
        if (!expected) return;

        var share = Accept(budget);
        Assert.False(budget.HasRoom);
        share.Decide();
        Assert.False(budget.HasRoom);
        share.Settle();
        Assert.False(budget.HasRoom); // It is not closed yet.
        _open--;
        Assert.True(budget.HasRoom);
        _open++;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(budget.HasRoom);
    }

    // A count does not see what is taken and not open yet.
    [Fact]
    public void TryTakeForBackend_ByManyAtOnce_CountsThoseThatAreNotOpenYet()
    {
        var budget = Budget();
        _open = _limit - 96;
        var taken = 0;
        for (_ = budget.Count(); budget.TryTakeForBackend(); taken++) _ = budget.Count();
        Assert.Equal(48, taken);

        _open += taken;
        for (var i = 0; i < taken; i++) budget.Opened();
        Assert.False(budget.TryTakeForBackend());
        _open--;
        Assert.True(budget.TryTakeForBackend());
    }

    // What the rest of the application opens shows within a second.
    [Fact]
    public void HasRoom_WhenOthersHaveOpenedDescriptors_SeesItWithinASecond()
    {
        var budget = Budget();
        Assert.True(budget.HasRoom);
        _open = _limit - 10;

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(budget.HasRoom);
    }

    [Fact]
    public void HasRoom_FarBelowTheLimit_CountsOnceASecond()
    {
        var budget = Budget();
        _counts = 0;
        for (var i = 0; i < 100; i++)
        {
            Assert.True(budget.HasRoom);
            _time.Advance(TimeSpan.FromMilliseconds(20));
        }

        Assert.InRange(_counts, 1, 2);
    }

    // Before Linux 6.2 all descriptors have to be gone through.
    [Fact]
    public void HasRoom_WhereACountTakesLong_TakesNoMoreThanATwentiethOfTheTime()
    {
        var budget = new DescriptorBudget(_time, _log, () =>
        {
            _counts++;
            _time.Advance(TimeSpan.FromMilliseconds(10));
            return new DescriptorCount(_open, _limit);
        });
        _open = _limit;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(budget.HasRoom);
        _counts = 0;
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            Assert.False(budget.HasRoom);
        }

        Assert.InRange(_counts, 5, 11);
    }

    // The thread lost its core within a count, while others opened what it counted at last.
    [Fact]
    public void CountThatTookLongOnce_NeitherCountsTwice_NorKeepsFromCountingAgain()
    {
        DescriptorBudget budget = null!;
        var isSlow = false;
        budget = new DescriptorBudget(_time, _log, () =>
        {
            if (!isSlow) return new DescriptorCount(_open, _limit);
            isSlow = false;
            _time.Advance(TimeSpan.FromMilliseconds(50));
            for (var i = 0; i < 100; i++) Accept(budget);
            return new DescriptorCount(_open, _limit);
        });
        (_open, isSlow) = (500, true);

        Assert.Equal(600, budget.Count().Open);
        _open = _limit;
        Assert.Equal(_limit, budget.Count().Open);
        _open = 600;
        Assert.Equal(600, budget.Count().Open);
    }

    [Fact]
    public void HasRoom_WhenTheLimitIsRaised_IsTrueAgain()
    {
        var budget = Budget();
        Fill(budget);
        Assert.False(budget.HasRoom);

        _limit *= 2;

        Assert.True(budget.HasRoom);
    }

    [Fact]
    public void Gate_OfAListenerThatIsHeld_WarnsOnceAMinuteAndSaysWhenAllAreAccepted()
    {
        var budget = Budget();
        var (first, second) = (new AcceptGate(budget), new AcceptGate(budget));
        _open = _limit;
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 59; i++)
        {
            Assert.False(first.IsOpen);
            Assert.False(second.IsOpen);
            Assert.False(budget.TryTakeForBackend());
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(["DescriptorsShort"], Events());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(first.IsOpen);
        Assert.Equal(["DescriptorsShort", "DescriptorsShort"], Events());

        _open = 200;
        Assert.True(first.IsOpen);
        first.Drained();
        Assert.Equal(2, Events().Length);
        Assert.True(second.IsOpen);
        second.Drained();
        second.Drained();
        Assert.Equal(["DescriptorsShort", "DescriptorsShort", "DescriptorsFree"], Events());
        Assert.Equal([LogLevel.Warning, LogLevel.Warning, LogLevel.Information], _log.Collector.GetSnapshot().Select(record => record.Level));
    }

    // A dial by name has no socket before the name is found, and no count sees it.
    [Fact]
    public async Task WatchAsync_OfDialsByName_CountsThemUntilTheyAreOpen()
    {
        var budget = Budget();
        _open = _limit - 96;
        var names = new TaskCompletionSource<int>();
        List<Task> dials = [];
        for (_ = budget.Count(); budget.TryTakeForBackend(); _ = budget.Count())
            dials.Add(DescriptorBudget.WatchAsync(budget, new ValueTask<int>(names.Task), isOpenAtOnce: false).AsTask());

        Assert.Equal(48, dials.Count);
        names.SetResult(0);
        await Task.WhenAll(dials);
    }

    // At the limit connections come and go; that must not fill the log either.
    [Fact]
    public void Gate_ThatOpensAndShutsAllTheTime_WritesOneLineEachAMinute()
    {
        var budget = Budget();
        var gate = new AcceptGate(budget);
        for (var i = 0; i < 100; i++)
        {
            _open = _limit;
            _time.Advance(TimeSpan.FromMilliseconds(100));
            _ = budget.Count();
            Assert.False(gate.IsOpen);
            _open = 200;
            Assert.True(gate.IsOpen);
            gate.Drained();
        }

        Assert.Equal(["DescriptorsShort", "DescriptorsFree"], Events());
    }

    [Fact]
    public void Gate_WithALogThatFails_StaysShutAndThrowsNothing()
    {
        var budget = new DescriptorBudget(_time, new BrokenLog(), () => new DescriptorCount(_open, _limit));
        var gate = new AcceptGate(budget);
        _open = _limit;
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(gate.IsOpen);
        _open = 200;
        Assert.True(gate.IsOpen);
        gate.Drained();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    [InlineData(1_000_000)]
    public void LimitFor_SoManyDescriptors_HasRoomForThemAndHardlyMore(int descriptors)
    {
        var limit = DescriptorBudget.LimitFor(descriptors);

        Assert.InRange(limit - Math.Max(96, limit / 20) - descriptors, 0, 2);
    }

    [Fact]
    public void Count_OfThisProcess_IsWhatProcSays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux counts.");
        var budget = new DescriptorBudget(TimeProvider.System, _log);
        var before = budget.Count();
        var sockets = Enumerable.Range(0, 200).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToArray();

        Assert.InRange(budget.Count().Open - before.Open, 100, 300); // Other tests open and close some.
        Assert.Equal(OpenDescriptors.Limit, before.Limit);
        Assert.Contains($"Max open files            {before.Limit} ", File.ReadAllText("/proc/self/limits"), StringComparison.Ordinal);
        foreach (var socket in sockets) socket.Dispose();
    }

    private DescriptorBudget Budget() => new(_time, _log, () =>
    {
        _counts++;
        return new DescriptorCount(_open, _limit);
    });

    private ConnectionShare Accept(DescriptorBudget budget)
    {
        _open++;
        return budget.Admit()!;
    }

    private bool TakeForBackend(DescriptorBudget budget)
    {
        if (!budget.TryTakeForBackend()) return false;
        _open++;
        budget.Opened();
        return true;
    }

    private ConnectionShare Fill(DescriptorBudget budget)
    {
        ConnectionShare? last = null;
        while (budget.HasRoom) last = Accept(budget);
        return last!;
    }

    private int Accepted(DescriptorBudget budget)
    {
        _ = budget.Count();
        var accepted = 0;
        for (; budget.HasRoom; accepted++) Accept(budget);
        return accepted;
    }

    private string[] Events() => [.. _log.Collector.GetSnapshot().Select(record => record.Id.Name!)];

    private sealed class BrokenLog : ILogger<DescriptorBudget>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("The log is full.");
    }
}
