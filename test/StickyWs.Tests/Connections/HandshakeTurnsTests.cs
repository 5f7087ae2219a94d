using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Connections;

/// <summary>Handshakes are bounded in number and in the reactor's time.</summary>
public sealed class HandshakeTurnsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<CancellationTokenSource> _deadlines = [];
    private readonly SocketReactor _reactor;
    private readonly HandshakeTurns _turns;

    public HandshakeTurnsTests()
    {
        _reactor = ReactorKind.Create(ReactorMode.Epoll, static _ => { }, time: _time);
        _reactor.Start();
        _turns = new HandshakeTurns(_reactor, most: 2);
    }

    public void Dispose()
    {
        _reactor.Dispose();
        _deadlines.ForEach(deadline => deadline.Dispose());
    }

    [Fact]
    public async Task Turn_IsOnTheReactorsThread()
    {
        using var place = Place();

        await _reactor.SwitchTo();
        await place.TakeTurnAsync();
        var isThere = _reactor.IsCurrent;
        await LeaveReactor();

        Assert.True(isThere);
    }

    [Fact]
    public async Task Places_AreGivenInTheOrderOfArrival()
    {
        var (first, second, third, fourth) = (Place(), Place(), Place(), Place());
        var turns = new[] { first, second, third, fourth }.Select(TurnAsync).ToArray();
        await Task.WhenAll(turns[..2]).WaitAsync(Wait.Token());
        Assert.Equal((2, false, false), (_turns.UnderWay, turns[2].IsCompleted, turns[3].IsCompleted));

        second.Dispose();
        await turns[2].WaitAsync(Wait.Token());
        Assert.False(turns[3].IsCompleted);
        first.Dispose();
        await turns[3].WaitAsync(Wait.Token());

        third.Dispose();
        fourth.Dispose();
        Assert.Equal(0, _turns.UnderWay);
    }

    [Fact]
    public async Task WhoHasLeftTheQueue_GetsNoPlace()
    {
        var (first, second, third, fourth) = (Place(), Place(), Place(), Place());
        await TurnAsync(first);
        await TurnAsync(second);
        _ = TurnAsync(third);
        var turn = TurnAsync(fourth);
        await AdvanceAsync(1);

        third.Dispose();
        first.Dispose();

        await turn.WaitAsync(Wait.Token());
        Assert.Equal(2, _turns.UnderWay);
    }

    [Fact]
    public async Task Deadline_EndsTheWaitForAPlace()
    {
        var (first, second, third) = (Place(), Place(), Place());
        await TurnAsync(first);
        await TurnAsync(second);
        var turn = TurnAsync(third);

        await _deadlines[2].CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn.WaitAsync(Wait.Token()));
    }

    [Fact]
    public async Task SlowestClient_MakesWayForOneThatWaits()
    {
        var (slow, other) = (Place(), Place());
        await TurnAsync(slow);
        await AdvanceAsync(1);
        await TurnAsync(other);
        var turn = TurnAsync(Place());

        await AdvanceAsync(HandshakeTurns.LongestUnderPressure - 2);
        Assert.False(slow.HasMadeWay);
        await AdvanceAsync(1);

        Assert.Equal((true, true, false), (slow.HasMadeWay, _deadlines[0].IsCancellationRequested, other.HasMadeWay));
        slow.Dispose();
        await turn.WaitAsync(Wait.Token());
    }

    [Fact]
    public async Task SlowOneThatIsStillAtWork_ShieldsNoOther()
    {
        var (atWork, slow) = (Place(), Place());
        await TurnAsync(atWork);
        await TurnAsync(slow);
        var turn = TurnAsync(Place());

        await AdvanceAsync(HandshakeTurns.LongestUnderPressure);
        await AdvanceAsync(1);

        Assert.Equal((true, true), (atWork.HasMadeWay, slow.HasMadeWay));
        slow.Dispose();
        await turn.WaitAsync(Wait.Token());
    }

    [Fact]
    public async Task SlowClient_KeepsItsPlaceWhileNobodyWaits()
    {
        var slow = Place();
        await TurnAsync(slow);
        await TurnAsync(Place());

        await AdvanceAsync(10 * HandshakeTurns.LongestUnderPressure);

        Assert.False(slow.HasMadeWay);
    }

    [Fact]
    public async Task ClientWhoseTurnComesLate_DoesNotMakeWay()
    {
        var (busy, late) = (Place(), Place());
        await TurnAsync(busy);
        await TurnAsync(late);
        _ = TurnAsync(Place());
        using var isAsked = new ManualResetEventSlim();
        var (hasBegun, hasEnded) = (new TaskCompletionSource(), new TaskCompletionSource());
        _ = LongAsync();
        await hasBegun.Task.WaitAsync(Wait.Token());

        var turn = TurnAsync(late);
        isAsked.Set();
        await hasEnded.Task.WaitAsync(Wait.Token());
        await turn.WaitAsync(Wait.Token());

        Assert.False(late.HasMadeWay);

        async Task LongAsync()
        {
            await _reactor.SwitchTo();
            await busy.TakeTurnAsync();
            hasBegun.SetResult();
            isAsked.Wait();
            _time.Advance(TimeSpan.FromMilliseconds(2 * HandshakeTurns.LongestUnderPressure));
            Spin();
            busy.Dispose();
            hasEnded.SetResult();
        }
    }

    [Fact]
    public async Task LongSteps_LetTheReactorHaveItsTurnInBetween()
    {
        const int steps = 10;
        var turns = new HandshakeTurns(_reactor);
        var order = new List<string>(); // On the reactor's thread.
        var all = Enumerable.Range(0, steps).Select(StepAsync).ToArray();

        await Task.WhenAll(all).WaitAsync(Wait.Token());
        await AdvanceAsync(1);

        var expected = Enumerable.Range(0, steps).SelectMany(number => new[] { $"handshake {number}", $"tunnel {number}" });
        Assert.Equal(expected.Skip(1), order.SkipWhile(what => what != "tunnel 0"));

        async Task StepAsync(int number)
        {
            using var place = new HandshakePlace(turns, Deadline());
            await _reactor.SwitchTo();
            await place.TakeTurnAsync();
            order.Add($"handshake {number}");
            Spin();
            Task.Run(() => _reactor.Run(() => order.Add($"tunnel {number}"))).Wait(); // It has arrived meanwhile, and waits.
            await LeaveReactor();
        }
    }

    [Fact]
    public async Task EndOfTheReactor_LetsAllGoOn()
    {
        var (first, third) = (Place(), Place());
        await TurnAsync(first);
        await TurnAsync(Place());
        var turn = TurnAsync(third);

        _reactor.Dispose();

        await turn.WaitAsync(Wait.Token());
        await TurnAsync(first).WaitAsync(Wait.Token());
        await TurnAsync(Place()).WaitAsync(Wait.Token());
    }

    private HandshakePlace Place() => new(_turns, Deadline());

    private CancellationTokenSource Deadline()
    {
        _deadlines.Add(new CancellationTokenSource());
        return _deadlines[^1];
    }

    // Completes away from the reactor's thread.
    private async Task TurnAsync(HandshakePlace place)
    {
        await _reactor.SwitchTo();
        await place.TakeTurnAsync();
        await LeaveReactor();
    }

    // Longer than the time for handshakes in a turn.
    private static void Spin()
    {
        for (var clock = Stopwatch.StartNew(); clock.ElapsedMilliseconds < 1;) Thread.SpinWait(10);
    }

    private static ConfiguredTaskAwaitable LeaveReactor() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    // And lets the reactor look at its clock, and around.
    private async Task AdvanceAsync(int milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        for (var turn = 0; turn < 2; turn++)
        {
            var hasTurned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _reactor.Run(hasTurned.SetResult);
            await hasTurned.Task.WaitAsync(Wait.Token());
        }
    }
}
