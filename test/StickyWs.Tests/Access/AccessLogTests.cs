using System.Diagnostics;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.TestKit;

namespace StickyWs.Tests.Access;

public sealed class AccessLogTests
{
    [Fact]
    public async Task Write_Lines_AreWrittenOnceAndInOrder()
    {
        using var rig = new AccessRig();

        for (var i = 0; i < 1000; i++) rig.Lines.Write(AccessRig.Line($"c{i}"));
        await rig.FlushAsync();

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"c{i}"), rig.Log.Lines.Select(line => (string)line.Fields["ConnectionId"]!));
        Assert.All(rig.Log.Lines, line => Assert.Equal((AccessLog.Category, LogLevel.Information, "TunnelLine"), (line.Category, line.Level, line.Event)));
    }

    [Fact]
    public async Task Write_FromManyThreads_LosesNone()
    {
        using var rig = new AccessRig();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++) rig.Lines.Write(AccessRig.Line($"{thread}-{i}"));
        })));
        await rig.FlushAsync();

        Assert.Equal(4000, rig.Log.Lines.Select(line => line.Text).Distinct().Count());
    }

    [Fact]
    public async Task Write_ToALoggerThatThrows_GoesOnAndSaysSoOnce()
    {
        using var logger = new Hostile { Throws = true };
        using var rig = new AccessRig(logger);

        for (var i = 0; i < 3; i++) rig.Lines.Write(AccessRig.Line());
        await rig.FlushAsync();

        Assert.Equal(3, logger.Lines);
        Assert.Equal(1, logger.Failures);
    }

    [Fact]
    public async Task Write_ToALoggerThatFailsForEverything_GoesOn()
    {
        using var logger = new Hostile { Throws = true, ThrowsAlways = true };
        using var rig = new AccessRig(logger);

        for (var i = 0; i < 3; i++) rig.Lines.Write(AccessRig.Line());
        await rig.FlushAsync();

        Assert.Equal(3, logger.Lines);
    }

    // Whoever writes may be a reactor.
    [Fact]
    public async Task Write_ToALoggerThatBlocks_NeverWaitsAndCountsWhatIsDropped()
    {
        using var logger = new Hostile();
        using var rig = new AccessRig(logger);
        logger.Gate.Reset();
        rig.Lines.Write(AccessRig.Line());
        await Wait.UntilAsync(() => logger.Lines == 1);

        for (var i = 0; i < AccessLog.MostWaiting + 7; i++) rig.Lines.Write(AccessRig.Line());
        var flushing = rig.FlushAsync();
        Assert.False(flushing.IsCompleted);
        logger.Gate.Set();
        await flushing;

        Assert.Equal(1 + AccessLog.MostWaiting, logger.Lines);
        Assert.Equal(["7"], logger.Dropped);
    }

    [Fact]
    public async Task HasTunnels_FollowsTheOptionAndTheFilter()
    {
        using var rig = new AccessRig();
        Assert.Equal((true, false), (rig.Lines.HasTunnels, rig.Lines.HasRequests));

        rig.Log.Level = LogLevel.Warning;
        Assert.False(rig.Lines.HasTunnels);
        rig.Lines.Write(AccessRig.Line());
        await rig.FlushAsync();
        Assert.Empty(rig.Log.Lines);

        rig.Log.Level = LogLevel.Information;
        rig.Registry.Current.Options.AccessLog.Tunnels = false;
        rig.Registry.Current.Options.AccessLog.Requests = true;
        Assert.Equal((false, true), (rig.Lines.HasTunnels, rig.Lines.HasRequests));
    }

    [Fact]
    public async Task Write_ToAListenerThatThrows_StillWritesTheLine()
    {
        using var rig = new AccessRig();
        rig.Listen(static (ref _) => throw new InvalidTimeZoneException());
        var context = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

        rig.Lines.Write(new AccessLine { Event = AccessEvent.Tunnel, Pool = "p", Lane = "raw", ConnectionId = "c", Traced = new TracedTunnel(context) });
        await rig.FlushAsync();

        Assert.Equal(["TunnelLine", "AccessListenerFailed"], rig.Log.Lines.Select(line => line.Event));
    }

    private sealed class Hostile : ILoggerProvider, ILogger
    {
        public ManualResetEventSlim Gate { get; } = new(initialState: true);

        public bool Throws { get; init; }

        public bool ThrowsAlways { get; init; }

        public int Lines { get; private set; }

        public int Failures { get; private set; }

        public List<string> Dropped { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "LinesDropped") Dropped.Add(formatter(state, exception).Split(' ')[0]);
            if (eventId.Name == "AccessListenerFailed") Failures++;
            if (eventId.Name == "TunnelLine") Lines++;
            Gate.Wait(Wait.Token());
            if (ThrowsAlways || (Throws && eventId.Name == "TunnelLine")) throw new InvalidTimeZoneException();
        }

        public void Dispose() => Gate.Dispose();
    }
}
