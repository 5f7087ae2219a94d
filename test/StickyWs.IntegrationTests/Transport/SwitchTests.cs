using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>
/// The options <c>Transport:RawLane</c>, <c>Transport:Reactor</c> and <c>Transport:Reactors</c>, as the log, the metric and the process show them.
/// </summary>
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

        await Wait.UntilAsync(() => Threads().Except(before).Count() == expected);
        Assert.Contains(balancer.Log.Lines, line => line.Event == "RawLaneOn" && line.Text.Contains($"{expected} reactor", StringComparison.Ordinal));

        await balancer.DisposeAsync();
        await Wait.UntilAsync(() => !Threads().Except(before).Any());
    }

    [Fact]
    public async Task Switched_off_there_is_no_reactor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var before = Threads();
        await using var balancer = Balancer.Start(Lane.Portable, Pool("http://127.0.0.1:1"));

        Assert.Empty(Threads().Except(before));
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("IoUring")]
    public void Where_the_kernel_offers_io_uring_the_log_and_the_metric_name_it(string mode)
    {
        SkipWithoutUring();
        var balancer = Owned(Balancer.Start(Lane.Raw, Pool("http://127.0.0.1:1").With("Transport:Reactors", "3"), With("Transport:Reactor", mode)));

        Assert.Equal("The raw lane serves WebSockets on plain connections: 3 reactors on io_uring", RawLaneLine(balancer));
        var measurement = Reactors(balancer);
        Assert.Equal(3, measurement.Value);
        Assert.Equal([new("stickyws.reactor.kind", "io_uring")], measurement.Tags);
    }

    [Fact]
    public void Where_epoll_is_wanted_the_log_and_the_metric_say_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var balancer = Owned(Balancer.Start(Lane.RawEpoll, Pool("http://127.0.0.1:1").With("Transport:Reactors", "2")));

        Assert.Equal("The raw lane serves WebSockets on plain connections: 2 reactors on epoll, not io_uring: disabled by configuration "
            + "(Transport:Reactor)", RawLaneLine(balancer));
        var measurement = Reactors(balancer);
        Assert.Equal(2, measurement.Value);
        Assert.Equal("epoll", measurement.Tags["stickyws.reactor.kind"]);
        Assert.Equal("disabled by configuration (Transport:Reactor)", measurement.Tags["stickyws.reactor.obstacle"]);
    }

    // In the portable lane nothing waits in a reactor, so there is nothing to refuse.
    [Fact]
    public void Io_uring_is_not_demanded_of_a_raw_lane_that_is_off()
    {
        var balancer = Owned(Balancer.Start(Lane.Portable, Pool("http://127.0.0.1:1"), With("Transport:Reactor", "IoUring")));

        Assert.StartsWith("The portable lane serves all WebSockets", RawLaneLine(balancer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reactor_that_nobody_knows_stops_the_start()
    {
        // Not by the factory: it loses what stopped a start when the host is disposed of before it looks.
        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration).Add(new LiveSettings().WithPool("chat", "http://127.0.0.1:1").With("Transport:Reactor", "Kqueue"));
        builder.AddStickyWebSocketBalancing();
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => app.StartAsync(Wait.Token()));

        Assert.Contains("Transport:Reactor", Assert.Single(failure.Failures), StringComparison.Ordinal);
    }

    // As in a container, whose default profile refuses io_uring_setup(2) with EPERM.
    [Fact]
    public async Task Where_the_kernel_refuses_io_uring_epoll_serves_and_the_log_says_why()
    {
        SkipWithoutUring();
        await using var backend = RawBackend.Opening();
        using var process = BalancerProcess.Start(Refused.Uring, "Pools:chat:Backends:a:Address=" + backend.Address, "Transport:RawLane=On",
            "Transport:Reactors=1");

        await using var client = await RawClient.ConnectAsync(await process.ListensAsync());
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();
        await client.WriteAsync("to the backend");
        Assert.Equal("to the backend", await server.ReadTextAsync(14));
        await server.WriteAsync("to the client");
        Assert.Equal("to the client", await client.ReadTextAsync(13));

        Assert.Contains("1 reactors on epoll, not io_uring: the system refuses: io_uring_setup: EPERM", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Io_uring_that_is_demanded_where_the_kernel_refuses_it_stops_the_start()
    {
        SkipWithoutUring();
        using var process = BalancerProcess.Start(Refused.Uring, "Pools:chat:Backends:a:Address=http://127.0.0.1:1", "Transport:Reactor=IoUring");

        Assert.NotEqual(0, await process.EndsAsync());
        Assert.Contains(
            "OptionsValidationException: Transport:Reactor is 'IoUring': use Auto or Epoll on this machine, because the system refuses: io_uring_setup: "
                + "EPERM.", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Now listening on", process.Output, StringComparison.Ordinal);
    }

    // Proves that it is the filter that refuses in the tests above, and not what else a process of its own is.
    [Fact]
    public async Task A_process_of_its_own_that_nobody_refuses_io_uring_has_it()
    {
        SkipWithoutUring();
        using var process = BalancerProcess.Start(Refused.Nothing, "Pools:chat:Backends:a:Address=http://127.0.0.1:1", "Transport:Reactor=IoUring",
            "Transport:Reactors=1");

        await process.ListensAsync();

        Assert.Contains("1 reactors on io_uring", process.Output, StringComparison.Ordinal);
    }

    private static void SkipWithoutUring()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        Assert.SkipWhen(UringProbe.FirstRefusal() is not null, $"There is no io_uring here: {UringProbe.FirstRefusal()}");
    }

    // The lane sets its own value before; this one comes after.
    private static Action<IWebHostBuilder> With(string key, string value)
        => builder => builder.ConfigureAppConfiguration((_, configuration) => configuration.Add(new LiveSettings().With(key, value)));

    private static string RawLaneLine(Balancer balancer) => Assert.Single(balancer.Log.Lines, line => line.Event is "RawLaneOn" or "RawLaneOff").Text;

    private static CollectedMeasurement<int> Reactors(Balancer balancer)
    {
        using var collector = new MetricCollector<int>(balancer.Services.GetRequiredService<StickyWsMetrics>().Meter.Scope, StickyWsMetrics.MeterName,
            "stickyws.reactors");
        collector.RecordObservableInstruments();
        return Assert.Single(collector.GetMeasurementSnapshot());
    }

    // By their ids: those of a test before may still be on their way out. The kernel keeps the first 15 letters of a thread's name.
    private static HashSet<string> Threads() =>
        Directory.EnumerateDirectories("/proc/self/task").Where(task => Name(task).StartsWith("StickyWs reacto", StringComparison.Ordinal)).ToHashSet();

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
