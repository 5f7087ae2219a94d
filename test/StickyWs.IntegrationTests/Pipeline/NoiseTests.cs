using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;
using RawBackend = StickyWs.IntegrationTests.Proxying.RawBackend;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>What is logged at the default levels: nothing for what succeeds, one line for what fails.</summary>
public sealed class NoiseTests
{
    public static TheoryData<Way, string> WaysAndFailures { get; } = new(
        from way in Enum.GetValues<Way>()
        from failure in new[] { "dead", "closing", "nonsense", "silent" }
        select (way, failure));

    public static MatrixTheoryData<Way, bool> WaysAndBacklogs { get; } = new(Enum.GetValues<Way>(), [true, false]);

    [Theory]
    [MemberData(nameof(AppHost.EveryWay), MemberType = typeof(AppHost))]
    public async Task What_succeeds_says_nothing(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        Assert.InRange(HttpHead.Status(await host.AskAsync(way)), 101, 200);
        await host.FinishAsync();

        Assert.DoesNotContain(host.Lines, line => line.Category.StartsWith("Yarp", StringComparison.Ordinal) || line.Level >= LogLevel.Warning);
    }

    [Theory]
    [MemberData(nameof(WaysAndFailures))]
    public async Task What_fails_says_once_which_backend_it_was_and_why(Way way, string failure)
    {
        var (held, dead) = RawBackend.Dead();
        using var holding = held;
        await using var backend = failure switch
        {
            "nonsense" => RawBackend.Answering("HTTP/1.1 abc OK\r\n\r\n"),
            "silent" => Backend.Silent(new TaskCompletionSource()),
            _ => RawBackend.Closing(),
        };
        var clock = new FakeTimeProvider();
        await using var host = await AppHost.StartAsync(
            services => services.AddSingleton<TimeProvider>(clock),
            _ => { },
            (_, pool) =>
            {
                if (failure == "silent") pool.Timeouts.Activity = TimeSpan.FromMilliseconds(200); // YARP's clock is the system's.
            },
            failure == "dead" ? dead : backend.Address);

        var asking = host.AskAsync(way);
        if (failure == "silent") await Wait.UntilAsync(() => backend.Heads.Count == 1);
        if (failure == "silent") clock.Advance(TimeSpan.FromMinutes(2));
        var status = HttpHead.Status(await asking);

        Assert.Equal(failure == "silent" ? 504 : 502, status);
        var line = Assert.Single(host.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Equal(LogLevel.Warning, line.Level);
        var kind = way is Way.Http1 or Way.Tls or Way.Http2 or Way.Http2Tls ? "request" : "handshake";
        Assert.StartsWith($"Backend pool/a: a {kind} got {status}: ", line.Text, StringComparison.Ordinal);
        if (failure == "dead") Assert.Contains("(", line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Lines, line => line.Category.StartsWith("Yarp", StringComparison.Ordinal));
    }

    // The kernel takes the connection and the request in its stead, or, once its backlog is full, no connection either.
    [Theory]
    [MemberData(nameof(WaysAndBacklogs))]
    public async Task A_backend_that_accepts_nothing_is_a_504_and_one_line_says_what_was_waited_for(Way way, bool isFull)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux lets a full backlog swallow connects.");
        using var deaf = isFull ? DeafListener.StartFull() : DeafListener.Start();
        await using var host = await AppHost.StartAsync(
            _ => { },
            _ => { },
            (_, pool) =>
            {
                if (isFull) pool.Timeouts.Connect = TimeSpan.FromMilliseconds(200);
                else pool.Timeouts.Handshake = pool.Timeouts.Activity = TimeSpan.FromMilliseconds(200);
            },
            deaf.Address);

        var answer = await host.AskAsync(way);
        await host.FinishAsync();

        Assert.Equal(504, HttpHead.Status(answer));
        var line = Assert.Single(host.Lines, line => line.Level >= LogLevel.Warning);
        Assert.Equal(("BackendFailedClient", LogLevel.Warning), (line.Event, line.Level));
        var expected = (way is Way.Http1 or Way.Tls or Way.Http2 or Way.Http2Tls, isFull) switch
        {
            (true, true) => "a request got 504: No backend accepted the connection in time.",
            (true, false) => "a request got 504: The backend did not answer in time.",
            (false, true) => "a handshake got 504: No backend accepted the connection in time.",
            (false, false) => "a handshake got 504: The backend did not answer in time.",
        };
        Assert.StartsWith("Backend pool/a: " + expected, line.Text, StringComparison.Ordinal);
        Assert.Equal([isFull ? "a-ConnectTimedOut" : "a-TimedOut"], host.Outcomes.Seen);
    }

    [Fact]
    public async Task Failures_of_one_kind_say_so_once_in_a_second_and_are_counted()
    {
        await using var backend = RawBackend.Answering("HTTP/1.1 abc OK\r\n\r\n");
        var clock = new FakeTimeProvider();
        await using var host = await AppHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock), _ => { }, (_, _) => { }, backend.Address);

        for (var i = 0; i < 4; i++) await host.AskAsync(Way.Http1);
        await host.AskAsync(Way.Sniffed);
        clock.Advance(TimeSpan.FromSeconds(1));
        await host.AskAsync(Way.Http2);

        var lines = host.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Text).ToArray();
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("Backend pool/a: a request got 502", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("Backend pool/a: a handshake got 502", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("; 3 more like it since the last such line", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_says_so()
    {
        await using var backend = new RawBackend(async (wire, _) =>
        {
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
            wire.Dispose();
        });
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);
        await using var client = await host.ConnectAsync(Way.Http1);

        await client.WriteAsync(AppHost.Head(Way.Http1));
        await client.WaitForEndAsync();
        await host.FinishAsync();

        Assert.StartsWith("Backend pool/a: a request got ", Assert.Single(host.Lines, line => line.Level == LogLevel.Warning).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_applications_own_YARP_logs_as_before()
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            services => services.AddHttpForwarder(),
            app => Microsoft.AspNetCore.Builder.DirectForwardingIEndpointRouteBuilderExtensions.MapForwarder(app, "/direct", backend.Address.AbsoluteUri),
            (_, _) => { },
            backend.Address);

        Assert.Equal(200, HttpHead.Status(await host.AskAsync(Way.Http1, "/direct")));

        Assert.Contains(host.Lines, line => line.Category.StartsWith("Yarp", StringComparison.Ordinal) && line.Level == LogLevel.Information);
    }
}
