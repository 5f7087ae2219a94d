using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.TestKit;
using StickyWs.Tests.Affinity;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Pinning;

public sealed class SharedPinsTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1.1);

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedPinStore _store;
    private readonly DispatchRig _rig;
    private readonly SharedPins _pins;
    private readonly PinKey _key = PinKey.Random();
    private readonly MetricCollector<long> _failures;

    public SharedPinsTests()
    {
        _store = new ScriptedPinStore(_time);
        _rig = new DispatchRig(Fleet.Registry(Fleet.Options(1)), _time, _store);
        _pins = _rig.Shared!;
        _failures = new MetricCollector<long>(_rig.Metrics.Meter.Scope, StickyWsMetrics.MeterName, "stickyws.pin_store.failures");
    }

    public void Dispose() => _failures.Dispose();

    [Fact]
    public async Task Find_StoreThatAnswers_GivesItsAnswer()
    {
        Assert.Equal((true, null), await _pins.FindAsync(_key));

        _store[_key] = "b";

        Assert.Equal((true, "b"), await _pins.FindAsync(_key));
        Assert.Equal([_key.ToString(), _key.ToString()], _store.Finds);
    }

    [Fact]
    public async Task Save_StoreThatAnswers_HasIt()
    {
        Assert.True(await _pins.SaveAsync(_key, "b", Lifetime));

        Assert.Equal([$"{_key} b 00:20:00"], _store.Saves);
        Assert.Equal("b", _store[_key]);
    }

    [Fact]
    public async Task Find_SilentStore_IsWaitedForSoLongAndNoLonger()
    {
        _store.IsSilent = true;

        var finding = _pins.FindAsync(_key).AsTask();
        _time.Advance(Timeout - TimeSpan.FromMilliseconds(1));
        Assert.False(finding.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal((false, null), await finding.WaitAsync(Wait.Token()));
        Assert.Equal(("find", "timeout"), Failure());
    }

    [Fact]
    public async Task Save_SilentStore_IsWaitedForSoLongAndNoLonger()
    {
        _store.IsSilent = true;

        var saving = _pins.SaveAsync(_key, "b", Lifetime).AsTask();
        Assert.False(saving.IsCompleted);
        _time.Advance(Timeout);

        Assert.False(await saving.WaitAsync(Wait.Token()));
        Assert.Equal(("save", "timeout"), Failure());
    }

    [Fact]
    public async Task FindAndSave_StoreThatThrows_AreNoAnswers()
    {
        _store.Throws = new InvalidOperationException("no connection");
        Assert.Equal((false, null), await _pins.FindAsync(_key));
        Assert.Equal(("find", nameof(InvalidOperationException)), Failure());

        _store.Throws = null;
        _time.Advance(TimeSpan.FromSeconds(3));
        _store.Failure = new IOException("connection lost");
        Assert.False(await _pins.SaveAsync(_key, "b", Lifetime));
        Assert.Equal(("save", nameof(IOException)), Failure());
    }

    [Fact]
    public async Task FindAndSave_WhileTheStoreIsLost_DoNotCallItAndWaitForNothing()
    {
        await LoseAsync();
        var before = _store.Calls;

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal((false, null), Now(_pins.FindAsync(_key)));
            Assert.False(Now(_pins.SaveAsync(_key, "b", Lifetime)));
        }

        Assert.True(_pins.IsLost);
        Assert.Equal(before, _store.Calls);
    }

    [Fact]
    public async Task IsLost_OneSlowAnswer_IsNotYet()
    {
        _store.IsSilent = true;
        var slow = _pins.FindAsync(_key).AsTask();
        _time.Advance(Timeout);
        await slow.WaitAsync(Wait.Token());

        Assert.False(_pins.IsLost);
    }

    [Fact]
    public async Task IsLost_ConnectionThatBroke_IsAtOnceAndUntilTheNextAnswer()
    {
        var returns = 0;
        _pins.Returned += () => returns++;
        _store.Failure = new IOException();
        await _pins.FindAsync(_key);

        Assert.True(_pins.IsLost);
        Assert.True(_pins.IsAskable);

        _store.Failure = null;
        await _pins.FindAsync(_key);
        await _pins.FindAsync(_key);

        Assert.False(_pins.IsLost);
        Assert.Equal(1, returns);
    }

    [Fact]
    public async Task IsLost_AfterTheRestWithoutTraffic_IsOverWhenTheStoreAnswersTheTrial()
    {
        await LoseAsync();
        _store.Failure = null;
        _store[_key] = "b";
        Assert.False(_pins.IsAskable);

        _time.Advance(Rest);
        await Wait.UntilAsync(() => !_pins.IsLost);

        Assert.True(_pins.IsAskable);
        Assert.Equal((true, "b"), await _pins.FindAsync(_key));
    }

    [Fact]
    public async Task Find_WhileTheTrialIsUnderWay_WaitsForNothing()
    {
        await LoseAsync();
        _store.Failure = null;
        _store.IsSilent = true;
        for (var round = 0; round < 3; round++)
        {
            var before = _store.Calls;
            _time.Advance(Rest);
            await Wait.UntilAsync(() => _store.Calls == before + 1);
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal((false, null), Now(_pins.FindAsync(_key)));
                Assert.True(_pins.IsLost);
            }

            _time.Advance(Timeout);
            Assert.Equal(before + 1, _store.Calls);
            Assert.True(_pins.IsLost);
        }
    }

    [Fact]
    public async Task Log_StoreThatIsLostAndComesBack_IsOneLineEach()
    {
        await LoseAsync();
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(Rest);
            await _pins.FindAsync(_key);
        }

        var lost = Assert.Single(_rig.SharedLog.Collector.GetSnapshot());
        Assert.Equal((LogLevel.Warning, EventIds.PinStoreLost), (lost.Level, lost.Id.Id));
        Assert.Contains("gone", lost.Message, StringComparison.Ordinal);

        _store.Failure = null;
        await Wait.UntilAsync(() =>
        {
            _time.Advance(Rest); // Polly tells of a trial that failed on a thread of its own, and the next one is a second behind that.
            return !_pins.IsLost && _rig.SharedLog.Collector.Count > 1; // Nor does it tell at once that the store is back.
        });
        await _pins.FindAsync(_key);

        var lines = _rig.SharedLog.Collector.GetSnapshot();
        Assert.Equal(2, lines.Count);
        Assert.Equal((LogLevel.Information, EventIds.PinStoreBack), (lines[1].Level, lines[1].Id.Id));
    }

    [Fact]
    public async Task Log_LostByTimeouts_NamesNoException()
    {
        _store.IsSilent = true;
        for (var i = 0; i < 2; i++)
        {
            var finding = _pins.FindAsync(_key).AsTask();
            _time.Advance(Timeout);
            await finding.WaitAsync(Wait.Token());
        }

        Assert.Null(Assert.Single(_rig.SharedLog.Collector.GetSnapshot()).Exception);
    }

    [Fact]
    public async Task Returned_StoreThatComesBack_IsRaisedOnce()
    {
        var raised = 0;
        _pins.Returned += () => raised++;
        await LoseAsync();
        Assert.Equal(0, raised);

        _store.Failure = null;
        _time.Advance(Rest);
        await Wait.UntilAsync(() => !_pins.IsLost && Volatile.Read(ref raised) > 0);
        await _pins.FindAsync(_key);

        Assert.Equal(1, raised);
    }

    [Fact]
    public void Heard_MessageOfAnotherInstance_IsPassedOn()
    {
        List<(PinKey, string)> heard = [];
        _pins.Heard += (key, backend) => heard.Add((key, backend));

        _store.Tell(_key.ToString(), "b");

        Assert.Equal([(_key, "b")], heard);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a key")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    [InlineData("0123456789abcdef0123456789abcdeg")]
    public void Heard_MessageThatIsNone_IsOverheard(string key)
    {
        _pins.Heard += (_, _) => Assert.Fail("It is no pin.");

        _store.Tell(key, "b");
    }

    [Fact]
    public async Task Find_ManyAtOnceOnAStoreThatFails_AllGetTheirAnswer()
    {
        _store.Throws = new IOException();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => _pins.FindAsync(_key).AsTask())));

        Assert.All(answers, answer => Assert.Equal((false, null), answer));
        Assert.True(_pins.IsLost);
    }

    // One instance's configuration says A, the other's a: they are the same, and neither takes the pin from the other.
    [Fact]
    public async Task Renew_NameInAnotherCaseInTheStore_IsNoMove()
    {
        _store[_key] = "A";
        Assert.Equal("a", await _rig.Pins.FindSharedAsync(_key, Lifetime));
        var saves = _store.Saves.Count;

        _rig.Pins.Renew(_key, "a", Lifetime);
        _store.Tell(_key.ToString(), "A");
        for (var i = 0; i < 5; i++) await _rig.Pins.SaveAsync(_key, "a", Lifetime);

        Assert.InRange(_store.Saves.Count, saves, saves + 1);
    }

    [Fact]
    public void Heard_NameThatNoPoolHas_IsNotKept()
    {
        for (var i = 0; i < 100; i++) _store.Tell(PinKey.Random().ToString(), $"nowhere {i}");

        Assert.Equal(0, _rig.Pins.LearntCount);
    }

    private async Task LoseAsync()
    {
        _store.Failure = new IOException("gone");
        while (_pins.IsAskable) await _pins.FindAsync(_key);
    }

    private (object? Operation, object? Error) Failure()
    {
        var tags = _failures.LastMeasurement!.Tags;
        return (tags["stickyws.pin_store.operation"], tags["error.type"]);
    }

    // What waits for nothing is there at once.
    private static T Now<T>(ValueTask<T> call)
    {
        Assert.True(call.IsCompletedSuccessfully);
        return call.Result;
    }
}
