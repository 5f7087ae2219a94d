using System.Net;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Draining;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What is ordered gets to the balancer, whatever it seems to do already, and an end is one only if nothing is left.</summary>
public sealed class OrderTests : DashboardTest
{
    [Fact]
    public async Task It_waits_on_if_somebody_has_come_back()
    {
        var control = new ScriptedControl();
        var host = await StartAsync(control);
        foreach (var left in new[] { 2, 1, 1 }) control.Left.Enqueue(left); // At the order, and after two waits.

        var (status, answer) = await host.PostAsync("pools/chat:stop?until=empty");

        Assert.Equal((HttpStatusCode.OK, 0, 3), (status, (int)answer["drains"]![0]!["left"]!, control.Waits));
        Assert.Equal(["in force, 2 tunnels are left", "empty"], host.Audit.Select(line => line.Text.Split(": ")[^1]));
    }

    [Fact]
    public async Task It_answers_what_it_has_found_empty_and_not_what_comes_after()
    {
        var control = new ScriptedControl();
        var host = await StartAsync(control);
        foreach (var left in new[] { 1, 0, 5 }) control.Left.Enqueue(left);

        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("pools/chat:stop?until=empty")).Status);
    }

    [Fact]
    public async Task Removed_before_it_was_waited_for_it_is_empty()
    {
        var host = await StartAsync(new ScriptedControl { Defect = new ArgumentException("It is gone.", "target") });

        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:drain?until=empty")).Status);
        Assert.EndsWith(": empty", host.Audit.Last().Text, StringComparison.Ordinal);
    }

    // What the configuration wants may be held back at that mode, or a reload may be under way.
    [Theory]
    [InlineData("stop", "Stop")]
    [InlineData("hand-off", "HandOff")]
    [InlineData("cut", "Cut")]
    public async Task An_order_is_given_though_it_seems_to_be_in_force(string action, string mode)
    {
        var control = new ScriptedControl();
        var settings = (await EchoPoolAsync()).With("Pools:chat:Backends:a:Mode", mode);
        var host = Owned(await DashboardHost.StartAsync(settings, services => services.AddSingleton<IBackendControl>(control)));

        Assert.Equal(mode, (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]!);
        await host.PostAsync($"backends/chat/a:{action}");

        Assert.Equal($"{action} chat/a", Assert.Single(control.Orders));
    }

    // In a transition, backends serve that the state does not show.
    [Fact]
    public async Task What_the_balancer_knows_is_steered_though_the_state_does_not_show_it()
    {
        var host = Owned(await DashboardHost.StartAsync(
            await EchoPoolAsync(), services => services.AddSingleton<IStickyWsState>(new WatchedState())));

        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:stop?until=empty&timeout=60")).Status);
        Assert.Equal("chat/a", host.Services.GetRequiredService<IBackendControl>().Read().Select(drain => $"{drain.Pool}/{drain.Backend}").Single());
        Assert.Equal(HttpStatusCode.NotFound, (await host.PostAsync("backends/chat/b:stop")).Status);
    }

    [Fact]
    public async Task So_many_wait_and_one_more_changes_nothing()
    {
        var host = await StartAsync(backends: 2, configure: options => options.MaxWaits = 1);
        var clients = await OpenAsync(host, 2);
        var waiting = host.PostAsync("backends/chat/a:stop?until=empty&timeout=60");
        await Wait.UntilAsync(() => host.Audit.Any(line => line.Text.Contains("in force", StringComparison.Ordinal)));

        var (status, problem) = await host.PostAsync("backends/chat/b:stop?until=empty&timeout=60");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "busy"), (status, Kind(problem)));
        Assert.Equal("On", (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![1]!["mode"]!);
        Assert.Equal("SteerRefused", host.Audit.Last().Event);
        Assert.Equal(HttpStatusCode.Accepted, (await host.PostAsync("backends/chat/b:stop")).Status); // Who does not wait is served.
        foreach (var client in clients) await client.DisposeAsync();
        Assert.Equal(HttpStatusCode.OK, (await waiting).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/b:stop?until=empty&timeout=60")).Status); // The place is free again.
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n\r\nhello", 400)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", 400)]
    [InlineData("Content-Length: 0\r\n\r\n", 200)]
    [InlineData("\r\n", 200)]
    public async Task A_body_that_nobody_reads_is_refused(string rest, int expected)
    {
        var host = await StartAsync();
        await using var client = await RawClient.ConnectAsync(host.Address);

        var answer = await client.AskAsync("POST /stickyws/backends/chat/a:stop HTTP/1.1\r\nHost: localhost\r\nX-StickyWs: 1\r\n" + rest);

        Assert.Equal(expected, HttpHead.Status(answer));
        Assert.Equal(expected == 200 ? "Stop" : "On", (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]!);
    }

    private async Task<DashboardHost> StartAsync(ScriptedControl control)
        => Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), services => services.AddSingleton<IBackendControl>(control)));
}
