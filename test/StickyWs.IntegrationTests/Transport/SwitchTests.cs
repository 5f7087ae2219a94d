using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>The options <c>Transport:RawLane</c> and <c>Transport:Reactors</c>, as the log and the process show them.</summary>
[Collection(nameof(Alone))]
public sealed class SwitchTests : BalancerTest
{
    [Theory]
    [InlineData("On", "RawLaneOn")]
    [InlineData("Auto", "RawLaneOn")]
    [InlineData("Off", "RawLaneOff")]
    public void The_log_says_once_whether_the_raw_lane_serves(string mode, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var balancer = Owned(Balancer.Start(Pool("http://127.0.0.1:1").With("Transport:RawLane", mode), kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Listen(IPAddress.Loopback, 0);
        }));

        var line = Assert.Single(balancer.Log.Lines, line => line.Event is "RawLaneOn" or "RawLaneOff");
        Assert.Equal(expected, line.Event);
        Assert.Equal(LogLevel.Information, line.Level);
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("3", 3)]
    [InlineData(null, 0)]
    public async Task There_are_as_many_reactors_as_the_options_say_and_none_behind_the_end(string? option, int expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        if (option is null) expected = Environment.ProcessorCount;
        var before = Threads();
        var balancer = Balancer.Start(Lane.Raw, Pool("http://127.0.0.1:1").With("Transport:Reactors", option));

        await Wait.UntilAsync(() => Threads() == before + expected);
        Assert.Contains(balancer.Log.Lines, line => line.Event == "RawLaneOn" && line.Text.Contains($"{expected} reactor", StringComparison.Ordinal));

        await balancer.DisposeAsync();
        await Wait.UntilAsync(() => Threads() == before);
    }

    [Fact]
    public async Task Switched_off_there_is_no_reactor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var before = Threads();
        await using var balancer = Balancer.Start(Lane.Portable, Pool("http://127.0.0.1:1"));

        Assert.Equal(before, Threads());
    }

    // The kernel keeps the first 15 letters of a thread's name.
    private static int Threads() => Directory.EnumerateDirectories("/proc/self/task").Count(task => Name(task).StartsWith("StickyWs reacto", StringComparison.Ordinal));

    private static string Name(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm"));
        }
        catch (IOException)
        {
            return ""; // Ended in between.
        }
    }
}
