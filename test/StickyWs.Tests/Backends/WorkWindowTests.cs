using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Tests.Backends;

/// <summary>What is counted of a backend while somebody looks.</summary>
public sealed class WorkWindowTests
{
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData(0.000001)]
    [InlineData(0.0000031)]
    [InlineData(0.0009)]
    [InlineData(0.013)]
    [InlineData(0.25)]
    [InlineData(1.999)]
    [InlineData(59)]
    [InlineData(200)]
    [InlineData(300)]
    [InlineData(7200)]
    [InlineData(65_000)]
    public void Scale_EveryDuration_IsWithinAnEighth(double seconds)
    {
        var duration = TimeSpan.FromSeconds(seconds);

        var middle = DurationScale.At(DurationScale.IndexOf(duration));

        Assert.InRange(middle / duration, 7.0 / 8, 9.0 / 8);
    }

    [Fact]
    public void Scale_LongerDurations_AreInLaterBuckets_AndTheOutermostTakeTheRest()
    {
        var indices = Enumerable.Range(0, 38).Select(doubling => DurationScale.IndexOf(TimeSpan.FromMicroseconds(1L << doubling))).ToArray();

        Assert.Equal(indices.Order(), indices);
        Assert.Equal(37, indices.Distinct().Count());
        Assert.Equal((0, DurationScale.Count - 1), (DurationScale.IndexOf(TimeSpan.FromSeconds(-1)), DurationScale.IndexOf(TimeSpan.MaxValue)));
    }

    [Fact]
    public void Read_Quantiles_AreThoseOfWhatWasCounted()
    {
        var window = new WorkWindow(_clock);
        for (var i = 0; i < 98; i++) window.CountHandshake(TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < 2; i++) window.CountHandshake(TimeSpan.FromSeconds(3));
        window.CountRequest(TimeSpan.FromMilliseconds(500));

        var read = window.Read();

        Assert.Equal((100, 1), (read.Handshakes.Count, read.Requests.Count));
        Assert.InRange(read.Handshakes.Median!.Value.TotalSeconds, 0.00875, 0.01125);
        Assert.InRange(read.Handshakes.NinetyNinth!.Value.TotalSeconds, 2.6, 3.4);
        Assert.InRange(read.Requests.NinetyNinth!.Value.TotalSeconds, 0.43, 0.57);
    }

    [Fact]
    public void Read_NothingCounted_HasNoQuantiles()
        => Assert.Equal((0, null, null), (new WorkWindow(_clock).Read().Handshakes is var none ? none.Count : -1, none.Median, none.NinetyNinth));

    [Fact]
    public void Read_AfterAMinute_ForgetsWhatIsOlder_PartByPart()
    {
        var window = new WorkWindow(_clock);
        for (var part = 0; part < 20; part++)
        {
            window.Count(WorkCounter.Opened);
            var counted = window.Read();
            Assert.Equal(Math.Min(part + 1, WorkWindow.Parts + 1), counted[WorkCounter.Opened]);
            Assert.InRange(counted.Span, TimeSpan.Zero, WorkWindow.Part * (WorkWindow.Parts + 1));
            _clock.Advance(WorkWindow.Part);
        }

        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(0, window.Read()[WorkCounter.Opened]);
    }

    [Fact]
    public void Read_Span_IsSinceTheFirstLook_AndThenAMinuteOrSo()
    {
        var window = new WorkWindow(_clock);
        Assert.Equal(TimeSpan.Zero, window.Read().Span);

        _clock.Advance(TimeSpan.FromSeconds(25));
        Assert.Equal(TimeSpan.FromSeconds(25), window.Read().Span);

        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.InRange(window.Read().Span, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task Count_FromManyThreads_LosesNothing()
    {
        var window = new WorkWindow(_clock);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++) window.CountRequest(TimeSpan.FromMilliseconds(i));
        })));

        Assert.Equal(20_000, window.Read().Requests.Count);
    }

    [Fact]
    public void Backend_NobodyLooks_CountsNothing_AndAllocatesNothing()
    {
        var backend = Fleet.Backend(0);
        Note(backend);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) Note(backend);

        Assert.Equal((before, null), (GC.GetAllocatedBytesForCurrentThread(), backend.Work));
    }

    [Fact]
    public void Backend_SomebodyLooks_CountsWithoutAllocating_UntilNobodyDoes()
    {
        var backend = Fleet.Backend(0);
        Assert.Same(backend.Watch(_clock), backend.Watch(_clock));
        Note(backend);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) Note(backend);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        var read = backend.Work!.Read();
        Assert.Equal((101, 101, 101), (read.Handshakes.Count, read.Requests.Count, read[WorkCounter.Moved]));
        backend.Unwatch();
        Note(backend);
        Assert.Null(backend.Work);
    }

    // Who left says nothing about the backend, and who was refused by it was answered.
    [Theory]
    [InlineData(HandshakeOutcome.Opened, 1, 0)]
    [InlineData(HandshakeOutcome.Declined, 1, 1)]
    [InlineData(HandshakeOutcome.TimedOut, 0, 1)]
    [InlineData(HandshakeOutcome.Unreachable, 0, 1)]
    [InlineData(HandshakeOutcome.ClientGone, 0, 0)]
    public void Backend_Handshakes_AreAnsweredOrFailed(HandshakeOutcome outcome, int answered, int failed)
    {
        var backend = Fleet.Backend(0);
        var window = backend.Watch(_clock);

        backend.NoteHandshake(outcome, TimeSpan.FromSeconds(1));

        Assert.Equal((answered, failed), (window.Read().Handshakes.Count, window.Read()[WorkCounter.FailedHandshakes]));
    }

    private static void Note(Backend backend)
    {
        backend.NoteHandshake(HandshakeOutcome.Opened, TimeSpan.FromMilliseconds(3));
        backend.NoteRequest(isFailed: false, TimeSpan.FromMilliseconds(3));
        backend.Note(WorkCounter.Moved);
    }
}
