using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Connections;

/// <summary>Handshakes are bounded in number.</summary>
public sealed class HandshakePlacesTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<CancellationTokenSource> _deadlines = [];
    private readonly SocketReactor _reactor;
    private readonly HandshakePlaces _places;

    public HandshakePlacesTests()
    {
        _reactor = ReactorKind.Create(ReactorMode.Epoll, static _ => { }, time: _time);
        _reactor.Start();
        _places = new HandshakePlaces(_reactor, most: 2);
    }

    public void Dispose()
    {
        _reactor.Dispose();
        _deadlines.ForEach(deadline => deadline.Dispose());
    }

    [Fact]
    public async Task Places_AreGivenInTheOrderOfArrival()
    {
        var (first, second, third, fourth) = (Place(), Place(), Place(), Place());
        var turns = new[] { first, second, third, fourth }.Select(TurnAsync).ToArray();
        await Task.WhenAll(turns[..2]).WaitAsync(Wait.Token());
        Assert.Equal((2, false, false), (_places.UnderWay, turns[2].IsCompleted, turns[3].IsCompleted));

        second.Dispose();
        await turns[2].WaitAsync(Wait.Token());
        Assert.False(turns[3].IsCompleted);
        first.Dispose();
        await turns[3].WaitAsync(Wait.Token());

        third.Dispose();
        fourth.Dispose();
        Assert.Equal(0, _places.UnderWay);
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
        Assert.Equal(2, _places.UnderWay);
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

        await AdvanceAsync(HandshakePlaces.LongestUnderPressure - 2);
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

        await AdvanceAsync(HandshakePlaces.LongestUnderPressure);
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

        await AdvanceAsync(10 * HandshakePlaces.LongestUnderPressure);

        Assert.False(slow.HasMadeWay);
    }

    [Fact]
    public async Task ClientWhoseTurnComesLate_DoesNotMakeWay()
    {
        var (busy, late) = (Place(), Place());
        await TurnAsync(busy);
        await TurnAsync(late);
        _ = TurnAsync(Place());
        var (hasBegun, hasTime) = (new TaskCompletionSource(), new TaskCompletionSource());
        _reactor.Aside.Run(() =>
        {
            hasBegun.SetResult();
            hasTime.Task.Wait();
        });
        await hasBegun.Task.WaitAsync(Wait.Token());

        var turn = late.TakeTurnAsync().AsTask();
        await AdvanceAsync(2 * HandshakePlaces.LongestUnderPressure);
        await AdvanceAsync(1);
        hasTime.SetResult();
        await turn.WaitAsync(Wait.Token());

        Assert.Equal((true, false), (busy.HasMadeWay, late.HasMadeWay));
        await AdvanceAsync(HandshakePlaces.LongestUnderPressure - 1); // From here on it is the client's time.
        Assert.False(late.HasMadeWay);
        await AdvanceAsync(1);
        Assert.True(late.HasMadeWay);
    }

    // Its clock stands still while it sleeps.
    [Fact]
    public async Task ClientsThatWakeAReactorUp_HaveTheirWholeTime()
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reactor.Run(settled.SetResult);
        await settled.Task.WaitAsync(Wait.Token());
        _time.Advance(TimeSpan.FromMinutes(1));
        var (first, second) = (Place(), Place());
        await first.TakeAsync();
        await second.TakeAsync();
        _ = TurnAsync(Place());

        await AdvanceAsync(HandshakePlaces.LongestUnderPressure - 1);
        Assert.Equal((false, false), (first.HasMadeWay, second.HasMadeWay));
        await AdvanceAsync(1);
        Assert.True(first.HasMadeWay);
    }

    [Fact]
    public async Task Turn_IsTheReactorsAtRest_AndElseBesideIt()
    {
        var (place, hasTime) = (Place(), new TaskCompletionSource());
        await place.TakeAsync();
        _reactor.Aside.Run(hasTime.Task.Wait);
        await AdvanceAsync(1000);
        await (await TurnOnReactorAsync()).WaitAsync(Wait.Token());

        _reactor.Run(_reactor.NoteMoved);
        await AdvanceAsync(0);
        await AdvanceAsync(100);
        var turn = await TurnOnReactorAsync();
        await AdvanceAsync(1);
        await (await TurnOnReactorAsync()).WaitAsync(Wait.Token());
        Assert.False(turn.IsCompleted);

        hasTime.SetResult();
        await turn.WaitAsync(Wait.Token());
        place.Dispose();

        async Task<Task> TurnOnReactorAsync()
        {
            await _reactor.SwitchTo();
            var turn = place.TakeTurnAsync().AsTask();
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Leaves the thread.
            return turn;
        }
    }

    [Fact]
    public async Task TurnThatCallsTheApplication_IsInTheThreadPool()
    {
        var place = Place();
        await place.TakeAsync();

        await place.TakeTurnAsync(callsOut: true);

        Assert.True(Thread.CurrentThread.IsThreadPoolThread);
        place.Dispose();
    }

    [Fact]
    public async Task DeadlineThatPassesBeforeTheTurn_EndsTheHandshakeThen()
    {
        var place = Place();
        await place.TakeAsync();
        var (hasBegun, hasTime) = (new TaskCompletionSource(), new TaskCompletionSource());
        _reactor.Aside.Run(() =>
        {
            hasBegun.SetResult();
            hasTime.Task.Wait();
        });
        await hasBegun.Task.WaitAsync(Wait.Token());
        var turn = place.TakeTurnAsync().AsTask();

        await _deadlines[0].CancelAsync();
        Assert.False(turn.IsCompleted); // It is in the queue, and holds its place.
        hasTime.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn.WaitAsync(Wait.Token()));
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
        await first.TakeTurnAsync().AsTask().WaitAsync(Wait.Token());
        await TurnAsync(Place()).WaitAsync(Wait.Token());
    }

    private HandshakePlace Place() => new(_places, Deadline());

    private CancellationTokenSource Deadline()
    {
        _deadlines.Add(new CancellationTokenSource());
        return _deadlines[^1];
    }

    private static async Task TurnAsync(HandshakePlace place)
    {
        await place.TakeAsync();
        await place.TakeTurnAsync();
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Leaves the thread.
    }

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
