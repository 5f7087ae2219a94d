using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Draining;

namespace StickyWs.Tests.Draining;

/// <summary>The second signal, whatever the order of the handlers of the first. Real signals: <c>IntegrationTests/Shutdown</c>.</summary>
public sealed class StopSignalsTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly FakeTimeProvider _clock = new();
    private readonly StopSignals _signals;
    private int _again;

    public StopSignalsTests()
    {
        _signals = new StopSignals(_lifetime, _clock);
        _signals.Begin(() => _again++);
    }

    public void Dispose() => _signals.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_Second_IsTold(bool hostIsFirst)
    {
        Signal(hostIsFirst);
        Assert.Equal(0, _again);
        _clock.Advance(Second);

        Signal(hostIsFirst);

        Assert.Equal(1, _again);
    }

    // A terminal signals the wrapper, too, and that passes it on.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_TheSameStopTwice_IsOne(bool hostIsFirst)
    {
        Signal(hostIsFirst);
        _clock.Advance(TimeSpan.FromMilliseconds(5));
        OnItsThread(_signals.Note);
        _clock.Advance(TimeSpan.FromMilliseconds(990));
        OnItsThread(_signals.Note);
        Assert.Equal(0, _again);
        _clock.Advance(Second);

        OnItsThread(_signals.Note);

        Assert.Equal(1, _again);
    }

    // Both are noted before the host's handler of the first one runs.
    [Fact]
    public void Note_TheSameStopTwice_BeforeTheHostStops_IsOne()
    {
        OnItsThread(() =>
        {
            _signals.Note();
            OnItsThread(_signals.Note);
            _lifetime.StopApplication();
        });
        Assert.Equal(0, _again);
        _clock.Advance(Second);

        OnItsThread(_signals.Note);

        Assert.Equal(1, _again);
    }

    // A preStop hook may have asked for the stop, and the first signal comes as ever.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_FirstAfterAStopByOtherMeans_IsNone(bool hostIsFirst)
    {
        _lifetime.StopApplication();

        Signal(hostIsFirst);
        Assert.Equal(0, _again);
        _clock.Advance(Second);
        Signal(hostIsFirst);

        Assert.Equal(1, _again);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_OfSomethingElseBefore_IsForgotten(bool hostIsFirst)
    {
        for (var i = 0; i < 5; i++) OnItsThread(_signals.Note);

        Signal(hostIsFirst);

        Assert.Equal(0, _again);
    }

    private static void OnItsThread(Action handlers)
    {
        var thread = new Thread(() => handlers());
        thread.Start();
        thread.Join();
    }

    private void Signal(bool hostIsFirst) => OnItsThread(() =>
    {
        if (hostIsFirst) _lifetime.StopApplication();
        _signals.Note();
        if (!hostIsFirst) _lifetime.StopApplication();
    });
}
