using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Draining;

namespace StickyWs.Tests.Draining;

/// <summary>The second signal, whatever the order of the handlers of the first. Real signals: <c>IntegrationTests/Shutdown</c>.</summary>
public sealed class StopSignalsTests : IDisposable
{
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly StopSignals _signals;
    private int _again;

    public StopSignalsTests()
    {
        _signals = new StopSignals(_lifetime);
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

        Signal(hostIsFirst);

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
