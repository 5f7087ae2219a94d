using System.Collections.Concurrent;
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

    // A mass end: no line of it is too many.
    [Fact]
    public async Task Write_AsManyAsWereOpen_LosesNone()
    {
        const int Open = AccessLog.MostWaiting + 7;
        using var logger = new Hostile();
        using var rig = new AccessRig(logger);
        for (var i = 0; i < Open; i++) rig.Lines.Opened();
        logger.Gate.Reset();

        for (var i = 0; i < Open; i++)
        {
            rig.Lines.Closed();
            rig.Lines.Write(AccessRig.Line());
        }

        logger.Gate.Set();
        await rig.FlushAsync();

        Assert.Equal(Open, logger.Lines);
        Assert.Empty(logger.Dropped);
    }

    [Fact]
    public async Task Write_WithoutRoomForLines_KeepsSpansAndCountsLinesOnly()
    {
        using var logger = new Hostile();
        using var rig = new AccessRig(logger);
        rig.Listen(static (ref _) => ActivitySamplingResult.AllDataAndRecorded);
        logger.Gate.Reset();
        rig.Lines.Write(AccessRig.Line());
        await Wait.UntilAsync(() => logger.Lines == 1);
        for (var i = 0; i < AccessLog.MostWaiting; i++) rig.Lines.Write(AccessRig.Line());

        rig.Lines.Write(TracedLine());
        rig.Lines.Write(TracedLine(isLogged: false));
        logger.Gate.Set();
        await rig.FlushAsync();

        Assert.Equal(["1"], logger.Dropped);
        Assert.Equal(2, rig.Spans.Count);
    }

    // Neither of a listener that throws, whose span would stay the current one, nor of who wrote first.
    [Fact]
    public async Task Write_Lines_AreInNoStrangersTrace()
    {
        using var logger = new Hostile();
        using var rig = new AccessRig(logger);
        rig.Listen(static (ref _) => ActivitySamplingResult.AllDataAndRecorded, static _ => throw new InvalidTimeZoneException());
        using (new Activity("stranger").Start())
        {
            rig.Lines.Write(TracedLine());
            rig.Lines.Write(AccessRig.Line());
            await rig.FlushAsync();
        }

        Assert.Equal(2, logger.Lines);
        Assert.All(logger.Traces, Assert.Null);
    }

    // The pool may have one worker only, and a logger may hold it.
    [Fact]
    public async Task Write_Lines_AreWrittenByAThreadThatEndsWithTheLog()
    {
        using var logger = new Hostile();
        using var rig = new AccessRig(logger);
        rig.Lines.Write(AccessRig.Line());
        await rig.FlushAsync();
        var thread = Assert.Single(logger.Threads);
        Assert.False(thread.IsThreadPoolThread);
        Assert.True(thread is { IsBackground: true, IsAlive: true });

        rig.Lines.Dispose();

        await Wait.UntilAsync(() => !thread.IsAlive);
        rig.Lines.Write(AccessRig.Line());
        await rig.FlushAsync();
        Assert.Equal(1, logger.Lines);
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

        rig.Lines.Write(TracedLine());
        await rig.FlushAsync();

        Assert.Equal(["TunnelLine", "AccessListenerFailed"], rig.Log.Lines.Select(line => line.Event));
    }

    private static AccessLine TracedLine(bool isLogged = true) => new()
    {
        Event = AccessEvent.Tunnel,
        Pool = "p",
        Lane = "raw",
        ConnectionId = "c",
        IsLogged = isLogged,
        Traced = new TracedTunnel(new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded)),
    };

    private sealed class Hostile : ILoggerProvider, ILogger
    {
        public ManualResetEventSlim Gate { get; } = new(initialState: true);

        public bool Throws { get; init; }

        public bool ThrowsAlways { get; init; }

        public int Lines { get; private set; }

        public int Failures { get; private set; }

        public List<string> Dropped { get; } = [];

        public ConcurrentQueue<Activity?> Traces { get; } = new();

        public ConcurrentQueue<Thread> Threads { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Traces.Enqueue(Activity.Current);
            Threads.Enqueue(Thread.CurrentThread);
            if (eventId.Name == "LinesDropped") Dropped.Add(formatter(state, exception).Split(' ')[0]);
            if (eventId.Name == "AccessListenerFailed") Failures++;
            if (eventId.Name == "TunnelLine") Lines++;
            Gate.Wait(Wait.Token());
            if (ThrowsAlways || (Throws && eventId.Name == "TunnelLine")) throw new InvalidTimeZoneException();
        }

        public void Dispose() => Gate.Dispose();
    }
}
