using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Pinning;
using StickyWs.Tests.Affinity;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Pinning;

public sealed class PinsTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly BackendRegistry _registry = Fleet.Registry(Fleet.Options(1, 1));
    private readonly ScriptedPinStore _store;
    private readonly DispatchRig _rig;
    private readonly Pins _pins;
    private readonly PinKey _key = PinKey.Random();

    public PinsTests()
    {
        _store = new ScriptedPinStore(_time);
        _rig = new DispatchRig(_registry, _time, _store);
        _pins = _rig.Pins;
    }

    private Pins Alone => field ??= new DispatchRig(_registry, _time).Pins;

    [Fact]
    public async Task TryFind_WithoutAStore_IsAlwaysFresh()
    {
        await Alone.SaveAsync(_key, "a", Lifetime);
        _time.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(("a", true), Find(Alone));
        Assert.False(Alone.IsAskable);
        Assert.False(Alone.IsCutOff);
    }

    [Fact]
    public async Task TryFind_PinThatIsUsed_LivesOnAndThenIsOver()
    {
        await Alone.SaveAsync(_key, "a", Lifetime);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(Lifetime - Second);
            Assert.NotNull(Find(Alone));
        }

        _time.Advance(Lifetime);
        Assert.Null(Find(Alone));
    }

    [Fact]
    public async Task Save_MoreThanMaxPins_StaysWithinThemAndCountsHashedKeysApart()
    {
        var options = Fleet.Options(1);
        options.Pins.MaxPins = 1000;
        var pins = new DispatchRig(Fleet.Registry(options), _time).Pins;
        for (var i = 0; i < 5000; i++)
        {
            await pins.SaveAsync(PinKey.Random(), "a", Lifetime);
            pins.NoteLast(PinKey.Random(), "a", Lifetime);
        }

        Assert.InRange(pins.LearntCount, 400, 1000);
        Assert.InRange(pins.HashedCount, 400, 1000);
    }

    [Fact]
    public void LastOf_HashedKey_IsThisProcessAloneAndOverInTime()
    {
        Assert.Null(_pins.LastOf(_key, Lifetime));
        _pins.NoteLast(_key, "a", Lifetime);
        Assert.Equal("a", _pins.LastOf(_key, Lifetime));
        Assert.Null(Find(_pins));
        _time.Advance(Lifetime);
        Assert.Null(_pins.LastOf(_key, Lifetime));
        Assert.Equal(0, _store.Calls);
    }

    [Fact]
    public async Task Save_SharedStore_HasItWhenItCompletes()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);

        Assert.Equal("a", _store[_key]);
        Assert.Equal(("a", true), Find(_pins));
    }

    [Fact]
    public async Task Save_StoreThatFails_IsKnownHereAndNotFresh()
    {
        _store.Failure = new IOException();
        await _pins.SaveAsync(_key, "a", Lifetime);

        Assert.Equal(("a", false), Find(_pins));
    }

    // A backend with rolling sessions sets its cookie in every answer.
    [Fact]
    public async Task Save_SamePinAgainAndAgain_IsWrittenNowAndThenOnly()
    {
        for (var i = 0; i < 600; i++)
        {
            await _pins.SaveAsync(_key, "a", Lifetime);
            _time.Advance(Second);
            Assert.Equal("a", _store[_key]);
        }

        Assert.InRange(_store.Saves.Count, 2, 4);
    }

    [Fact]
    public async Task Save_PinThatIsMoved_IsWrittenAtOnce()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        await _pins.SaveAsync(_key, "b", Lifetime);

        Assert.Equal("b", _store[_key]);
    }

    [Fact]
    public async Task FindShared_PinOfAnotherInstance_IsFreshHereFromThenOn()
    {
        _store[_key] = "b";

        Assert.Equal("b", await _pins.FindSharedAsync(_key, Lifetime));

        Assert.Equal(("b", true), Find(_pins));
    }

    [Fact]
    public async Task FindShared_BackendInOurConfiguration_SharesItsText()
    {
        _store[_key] = new string('a', 1);

        await _pins.FindSharedAsync(_key, Lifetime);

        Assert.True(_pins.TryFind(_key, Lifetime, out var backend, out _));
        Assert.Same(Fleet.PoolOf(_registry).Backends[0].Name, backend);
    }

    [Fact]
    public async Task FindShared_UnknownPin_IsNoneAndWritesNothing()
    {
        Assert.Null(await _pins.FindSharedAsync(_key, Lifetime));

        Assert.Null(Find(_pins));
        Assert.Empty(_store.Saves);
        Assert.Equal(0, _pins.LearntCount);
    }

    [Fact]
    public async Task FindShared_PinThatTheStoreLost_IsWrittenAnew()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        _store.Forget();

        Assert.Null(await _pins.FindSharedAsync(_key, Lifetime));

        Assert.Equal("a", _store[_key]);
        Assert.Equal(("a", true), Find(_pins));
    }

    [Fact]
    public async Task FindShared_StoreThatFails_KeepsWhatIsKnownHere()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        _store.Failure = new IOException();

        Assert.Null(await _pins.FindSharedAsync(_key, Lifetime));

        Assert.NotNull(Find(_pins));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public async Task TryFind_PinLastCheckedSoLongAgo_IsFreshForHalfAMinute(int seconds, bool isFresh)
    {
        _store[_key] = "a";
        await _pins.FindSharedAsync(_key, Lifetime);
        _time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.Equal(("a", isFresh), Find(_pins));
    }

    [Fact]
    public async Task Heard_PinOfAnotherInstance_ReplacesOurs()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        _time.Advance(TimeSpan.FromMinutes(1));

        _store.Tell(_key.ToString(), "b");

        Assert.Equal(("b", true), Find(_pins));
        Assert.Single(_store.Saves);
    }

    [Fact]
    public void Heard_ManyPins_StayWithinTheLimit()
    {
        var options = Fleet.Options(1);
        options.Pins.MaxPins = 1000;
        var pins = new DispatchRig(Fleet.Registry(options), _time, _store).Pins;

        for (var i = 0; i < 5000; i++) _store.Tell(PinKey.Random().ToString(), "a");

        Assert.InRange(pins.LearntCount, 1, 1000);
    }

    [Fact]
    public async Task Renew_PinInUse_IsWrittenNowAndThenOnlyAndNeverRunsOut()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        for (var i = 0; i < 3600; i++)
        {
            _time.Advance(Second);
            _pins.Renew(_key, "a", Lifetime);
            Assert.Equal("a", _store[_key]);
        }

        Assert.InRange(_store.Saves.Count, 4, 14);
    }

    // As requests do: each looks whether the pin is fresh, asks the store if it is not, and renews it.
    [Theory]
    [InlineData(5)]
    [InlineData(31)]
    [InlineData(120)]
    public async Task Renew_PinInUseThatIsReadAgainNowAndThen_NeverRunsOutInTheStore(int seconds)
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        for (var i = 0; i < 7200; i += seconds)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal("a", _store[_key]);
            if (!Find(_pins)!.Value.IsFresh) await _pins.FindSharedAsync(_key, Lifetime);
            _pins.Renew(_key, "a", Lifetime);
        }

        Assert.InRange(_store.Saves.Count, 7200 / 1200, 7200 / 300 * 2);
    }

    [Fact]
    public void Renew_PinThatRanOutDuringALongTunnel_IsThereAgain()
    {
        _pins.Renew(_key, "a", Lifetime);

        Assert.Equal("a", Find(_pins)!.Value.Backend);
        Assert.Equal("a", _store[_key]);
    }

    [Fact]
    public async Task Renew_PinThatWasMovedMeanwhile_StaysMoved()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        await _pins.SaveAsync(_key, "b", Lifetime);
        _time.Advance(Lifetime / 2);

        _pins.Renew(_key, "a", Lifetime);

        Assert.Equal("b", Find(_pins)!.Value.Backend);
        Assert.Equal("b", _store[_key]);
    }

    [Fact]
    public async Task Renew_WhileTheStoreTakesItsTime_IsWrittenOnce()
    {
        var gate = new TaskCompletionSource();
        _store.Gate = gate.Task;
        for (var i = 0; i < 100; i++) _pins.Renew(_key, "a", Lifetime);

        Assert.Equal(1, _store.Calls);
        gate.SetResult();
        while (_store.Saves.Count == 0) await Task.Yield();
        Assert.Equal(2, _store.Calls);
    }

    [Fact]
    public async Task Renew_MovedWhileTheStoreTakesItsTime_StaysMovedHere()
    {
        var gate = new TaskCompletionSource();
        _store.Gate = gate.Task;
        _pins.Renew(_key, "a", Lifetime);

        _store.Gate = Task.CompletedTask;
        await _pins.SaveAsync(_key, "b", Lifetime);
        gate.SetResult();

        Assert.Equal("b", Find(_pins)!.Value.Backend);
    }

    [Fact]
    public async Task Renew_WhileTheStoreIsLost_CallsNobodyAndKeepsIt()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        await LoseAsync();
        var before = _store.Calls;

        _time.Advance(TimeSpan.FromMilliseconds(500));
        for (var i = 0; i < 100; i++) _pins.Renew(_key, "a", Lifetime);

        Assert.Equal(before, _store.Calls);
        Assert.True(_pins.IsCutOff);
        Assert.Equal("a", Find(_pins)!.Value.Backend);
    }

    // The store may have been started anew, with nothing in it.
    [Fact]
    public async Task Renew_AfterTheStoreCameBack_IsWrittenOnceAgain()
    {
        await _pins.SaveAsync(_key, "a", Lifetime);
        await LoseAsync();
        _store.Forget();
        _store.Failure = null;
        _time.Advance(TimeSpan.FromSeconds(1.5));
        await _pins.FindSharedAsync(PinKey.Random(), Lifetime);
        Assert.True(_pins.IsCutOff); // Others may not have found it yet.
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(_pins.IsCutOff);
        var before = _store.Saves.Count;

        for (var i = 0; i < 100; i++) _pins.Renew(_key, "a", Lifetime);

        Assert.Equal("a", _store[_key]);
        Assert.Equal(before + 1, _store.Saves.Count);
    }

    [Fact]
    public void Renew_ShortestLifetime_IsNotWrittenByEveryRequest()
    {
        for (var i = 0; i < 50; i++) _pins.Renew(_key, "a", Second);

        Assert.Single(_store.Saves);
    }

    [Fact]
    public async Task Everything_ManyThreadsOnAStoreThatComesAndGoes_ThrowsNothing()
    {
        PinKey[] keys = [.. Enumerable.Range(0, 16).Select(_ => PinKey.Random())];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 2000; i++)
            {
                var key = keys[random.Next(keys.Length)];
                switch (random.Next(6))
                {
                    case 0:
                        await _pins.SaveAsync(key, "a", Lifetime);
                        break;
                    case 1:
                        await _pins.FindSharedAsync(key, Lifetime);
                        break;
                    case 2:
                        _pins.Renew(key, "b", Lifetime);
                        break;
                    case 3:
                        _store.Failure = random.Next(2) == 0 ? new IOException() : null;
                        break;
                    case 4:
                        _store.Tell(key.ToString(), "b");
                        break;
                    default:
                        if (_pins.TryFind(key, Lifetime, out var backend, out _)) Assert.True(backend is "a" or "b");
                        break;
                }
            }
        })));

        Assert.InRange(_pins.LearntCount, 0, keys.Length);
    }

    private (string Backend, bool IsFresh)? Find(Pins pins) => pins.TryFind(_key, Lifetime, out var backend, out var isFresh) ? (backend, isFresh) : null;

    private async Task LoseAsync()
    {
        _store.Failure = new IOException("gone");
        while (_pins.IsAskable) await _pins.FindSharedAsync(PinKey.Random(), Lifetime);
    }
}
