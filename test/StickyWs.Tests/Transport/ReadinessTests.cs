using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class ReadinessTests
{
    private readonly Readiness _readiness = new();

    private Task WaitAsync(CancellationToken cancellationToken = default) => _readiness.WaitAsync(cancellationToken).AsTask();

    [Fact]
    public void Wait_BehindASignal_IsOverAtOnce()
    {
        _readiness.Signal();

        Assert.True(WaitAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Wait_BeforeTheSignal_EndsWithIt()
    {
        var waiting = WaitAsync();
        Assert.False(waiting.IsCompleted);

        _readiness.Signal();

        await waiting.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task Wait_BehindManySignals_UsesThemUpInOne()
    {
        for (var i = 0; i < 5; i++) _readiness.Signal();

        await WaitAsync();

        Assert.False(WaitAsync().IsCompleted);
    }

    [Fact]
    public async Task Signal_WithAWaiter_GoesOnWithinTheCall()
    {
        var thread = 0;
        var waiting = GoOnAsync();

        _readiness.Signal();

        Assert.Equal(Environment.CurrentManagedThreadId, thread);
        await waiting;

        async Task GoOnAsync()
        {
            await _readiness.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            thread = Environment.CurrentManagedThreadId;
        }
    }

    [Fact]
    public async Task Cancel_OfAWait_ThrowsItsTokenAndTheNextWaitIsGood()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = WaitAsync(cancel.Token);

        await cancel.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        var next = WaitAsync();
        Assert.False(next.IsCompleted);
        _readiness.Signal();
        await next;
    }

    [Fact]
    public async Task Wait_WithACancelledToken_ThrowsAndKeepsTheSignal()
    {
        _readiness.Signal();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await WaitAsync(new CancellationToken(canceled: true)));

        Assert.True(WaitAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Cancel_BehindTheEndOfItsWait_DoesNotTouchTheNext()
    {
        using var cancel = new CancellationTokenSource();
        var first = WaitAsync(cancel.Token);
        _readiness.Signal();
        await first;

        var second = WaitAsync();
        await cancel.CancelAsync();

        Assert.False(second.IsCompleted);
        _readiness.Signal();
        await second;
    }

    // Every round has one signal and one cancellation, at the same time: the wait must end by either, and a signal that lost must still be there.
    [Fact]
    public async Task SignalAgainstCancel_ManyTimes_LosesNeither()
    {
        const int rounds = 20_000;
        using var barrier = new Barrier(3);
        var cancel = new CancellationTokenSource();
        var signalling = Start(() => _readiness.Signal());
        var cancelling = Start(() => cancel.Cancel());
        var (signalled, cancelled) = (0, 0);
        for (var round = 0; round < rounds; round++)
        {
            cancel = new CancellationTokenSource();
            var waiting = WaitAsync(cancel.Token);
            barrier.SignalAndWait();
            try
            {
                await waiting.WaitAsync(Wait.Bound);
                signalled++;
            }
            catch (OperationCanceledException e) when (e.CancellationToken == cancel.Token)
            {
                cancelled++;
            }

            await Task.Yield(); // This may be the thread of the signal, within its call.
            barrier.SignalAndWait();
            if (cancelled + signalled != round + 1 || waiting.IsCompletedSuccessfully) continue;
            Assert.True(WaitAsync().IsCompletedSuccessfully, $"The signal of round {round} is lost.");
        }

        await Task.WhenAll(signalling, cancelling);
        Assert.Equal(rounds, signalled + cancelled);

        Task Start(Action action) => Task.Factory.StartNew(
            () =>
            {
                for (var round = 0; round < rounds; round++)
                {
                    barrier.SignalAndWait();
                    action();
                    barrier.SignalAndWait();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    // As a socket's reader: what was put in before a signal must be seen by a reader that looks, waits, and looks again.
    [Fact]
    public async Task SignalsAgainstWaits_ManyTimes_LeaveNobodyWaiting()
    {
        const int items = 300_000;
        var put = 0;
        var putting = Task.Run(() =>
        {
            for (var i = 0; i < items; i++)
            {
                Interlocked.Increment(ref put);
                _readiness.Signal();
            }
        });

        while (Volatile.Read(ref put) < items) await WaitAsync().WaitAsync(Wait.Bound);

        await putting;
    }
}
