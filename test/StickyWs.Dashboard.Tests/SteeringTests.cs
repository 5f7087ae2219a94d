using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Draining;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>Backends are taken out and brought back, by people and by deploy scripts.</summary>
public sealed class SteeringTests : DashboardTest
{
    [Fact]
    public async Task A_deploy_waits_until_the_backend_is_empty()
    {
        var host = await StartAsync();
        var ends = (await OpenAsync(host, 5)).Select(SeeOutAsync).ToArray();

        var (status, answer) = await host.PostAsync("backends/chat/a:drain?until=empty&timeout=30&over=0");

        Assert.Equal((HttpStatusCode.OK, "chat/a", "HandOff"), (status, (string)answer["target"]!, (string)answer["backends"]![0]!["mode"]!));
        Assert.Equal(("Empty", 5, 0), Counts(answer["drains"]![0]!));
        await Task.WhenAll(ends).WaitAsync(Wait.Bound);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:drain?until=empty&timeout=30")).Status);
        Assert.Equal(["in force", "empty", "in force", "empty"], host.Audit.Select(line => line.Text.Split(": ")[^1].Split(',')[0]));
        Assert.All(host.Audit, line => Assert.Contains("anonymous from 127.0.0.1:", line.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_waits_for_tunnels_that_leave_by_themselves()
    {
        var host = await StartAsync();
        var clients = await OpenAsync(host, 2);

        var waiting = host.PostAsync("backends/chat/a:stop?until=empty&timeout=60");
        await Wait.UntilAsync(async () => (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]! == "Stop");
        await clients[0].DisposeAsync();
        await Wait.UntilAsync(async () => (await host.GetAsync("drains")).Body["drains"]!.AsArray() is [{ } drain] && (int)drain["left"]! == 1);
        Assert.False(waiting.IsCompleted);
        await clients[1].DisposeAsync();

        Assert.Equal(HttpStatusCode.OK, (await waiting).Status);
    }

    [Fact]
    public async Task When_the_time_is_over_it_says_what_is_left_and_goes_on()
    {
        var host = await StartAsync();
        var clients = await OpenAsync(host, 3);

        var (status, problem) = await host.PostAsync("backends/chat/a:stop?until=empty&timeout=0.1");

        Assert.Equal((HttpStatusCode.GatewayTimeout, "not-empty", 3), (status, Kind(problem), (int)problem["drains"]![0]!["left"]!));
        Assert.Contains("3 tunnels", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Contains(host.Audit, line => line.Text.EndsWith("not empty in time, 3 tunnels are left", StringComparison.Ordinal));
        foreach (var client in clients) await client.DisposeAsync();
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:stop?until=empty&timeout=60")).Status);
    }

    [Fact]
    public async Task Undrained_meanwhile_the_wait_ends_with_a_conflict()
    {
        var host = await StartAsync();
        await OpenAsync(host, 1);
        var waiting = host.PostAsync("pools/chat:stop?until=empty&timeout=60");
        await Wait.UntilAsync(() => host.Audit.Any(line => line.Text.Contains("in force", StringComparison.Ordinal)));

        var back = await host.PostAsync("backends/chat/a:undrain");

        Assert.Equal((HttpStatusCode.OK, "On"), (back.Status, (string)back.Body["backends"]![0]!["mode"]!));
        Assert.Equal((HttpStatusCode.Conflict, "undrained"), ((await waiting).Status, Kind((await waiting).Body)));
    }

    [Theory]
    [InlineData("stop", "Stop")]
    [InlineData("hand-off", "HandOff")]
    [InlineData("drain", "HandOff")]
    [InlineData("Cut", "Cut")]
    public async Task An_action_is_in_force_when_it_is_answered_and_said_twice_it_changes_nothing(string action, string mode)
    {
        var host = await StartAsync(backends: 2);
        await OpenAsync(host, 2);

        var first = await host.PostAsync($"backends/CHAT/A:{action}");
        var second = await host.PostAsync($"backends/chat/a:{action}");

        Assert.All([first.Status, second.Status], status => Assert.InRange((int)status, 200, 202));
        Assert.Equal((string)first.Body["drains"]![0]!["since"]!, (string)second.Body["drains"]![0]!["since"]!);
        var backends = (await host.GetAsync("state")).Body["pools"]![0]!["backends"]!;
        Assert.Equal((mode, "On"), ((string)backends[0]!["mode"]!, (string)backends[1]!["mode"]!));
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:undrain")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("backends/chat/a:undrain")).Status);
    }

    [Fact]
    public async Task A_pool_is_steered_as_a_whole()
    {
        var host = await StartAsync(backends: 2);
        await OpenAsync(host, 4);

        var (status, answer) = await host.PostAsync("pools/chat:cut?until=empty&timeout=60");

        Assert.Equal((HttpStatusCode.OK, 2, 2), (status, answer["drains"]!.AsArray().Count, answer["backends"]!.AsArray().Count));
        Assert.All(answer["drains"]!.AsArray(), drain => Assert.Equal(("Cut", 2, 0), Counts(drain!)));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a%2Fb")]
    [InlineData("a%252Fb")]
    [InlineData("/")]
    [InlineData("a b+c?d#e&f=g;h,i")]
    [InlineData("ünï<b>€😀")]
    [InlineData("%")]
    [InlineData("a{b}*")]
    public async Task A_name_may_have_any_character(string name)
    {
        var settings = (await EchoPoolAsync()).With($"Pools:{name}:Backends:{name}:Address", "http://127.0.0.1:1")
            .With($"Pools:{name}:Match:Hosts:0", "x.example");
        var host = Owned(await DashboardHost.StartAsync(settings));
        var escaped = Uri.EscapeDataString(name);

        Assert.Equal($"{name}/{name}", (string)(await host.PostAsync($"backends/{escaped}/{escaped}:stop")).Body["target"]!);
        Assert.Equal($"{name}/*", (string)(await host.PostAsync($"pools/{escaped}:undrain")).Body["target"]!);
        var answer = (await host.PostAsync($"backends:stop?pool={escaped}&backend={escaped}")).Body;
        Assert.Equal(($"{name}/{name}", "Stop"), ((string)answer["target"]!, (string)answer["backends"]![0]!["mode"]!));
    }

    [Fact]
    public async Task A_name_that_no_path_can_have_is_told_in_the_query()
    {
        var settings = (await EchoPoolAsync()).With("Pools:chat:Backends:..:Address", "http://127.0.0.1:1");
        var host = Owned(await DashboardHost.StartAsync(settings));

        Assert.Equal("chat/..", (string)(await host.PostAsync("backends:stop?pool=chat&backend=..")).Body["target"]!);
        Assert.Equal("pool", (string)(await host.PostAsync("backends:stop?backend=..")).Body["parameter"]!);
    }

    [Theory]
    [InlineData("backends/chat/x:stop", "a")]
    [InlineData("backends/other/a:stop", "chat")]
    [InlineData("backends/chat/%3Cscript%3E:stop", "a")]
    [InlineData("pools/other:stop", "chat")]
    [InlineData("backends/chat/a:kill", ":stop")]
    [InlineData("backends/chat/a", ":undrain")]
    [InlineData("pools/chat", ":cut")]
    public async Task What_is_not_there_is_answered_with_what_is(string path, string known)
    {
        var host = await StartAsync();

        var (status, problem) = await host.PostAsync(path);

        Assert.Equal((HttpStatusCode.NotFound, "not-found"), (status, Kind(problem)));
        Assert.Contains(known, problem["known"]!.AsArray().Select(name => (string?)name));
        Assert.Equal("SteerRefused", Assert.Single(host.Audit).Event);
    }

    [Theory]
    [InlineData("drain?until=full", "until")]
    [InlineData("drain?timeout=5", "timeout")]
    [InlineData("drain?until=empty&timeout=2d", "timeout")]
    [InlineData("drain?until=empty&timeout=-1", "timeout")]
    [InlineData("drain?over=2d", "over")]
    [InlineData("drain?deadline=8d", "deadline")]
    [InlineData("drain?code=99999", "code")]
    [InlineData("drain?force=true", "force")]
    [InlineData("stop?over=5", "over")]
    [InlineData("undrain?until=empty", "until")]
    public async Task A_bad_parameter_changes_nothing(string action, string parameter)
    {
        var host = await StartAsync();

        var (status, problem) = await host.PostAsync("backends/chat/a:" + action);

        Assert.Equal((HttpStatusCode.BadRequest, parameter), (status, (string)problem["parameter"]!));
        Assert.Equal("On", (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]!);
    }

    [Theory]
    [InlineData("over=60&deadline=30")]
    [InlineData("code=1005")]
    public async Task Settings_that_do_not_fit_together_change_nothing(string query)
    {
        var host = await StartAsync();

        var (status, problem) = await host.PostAsync("backends/chat/a:drain?" + query);

        Assert.Equal((HttpStatusCode.BadRequest, "bad-parameter"), (status, Kind(problem)));
        Assert.DoesNotContain("Parameter 'settings'", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal("On", (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]!);
    }

    [Fact]
    public async Task Whoever_stops_waiting_does_not_stop_the_drain()
    {
        var host = await StartAsync();
        await OpenAsync(host, 1);
        using var request = host.Request(HttpMethod.Post, "backends/chat/a:stop?until=empty", ("X-StickyWs", "1"));
        using var impatient = new CancellationTokenSource();
        var waiting = host.Client.SendAsync(request, impatient.Token);
        await Wait.UntilAsync(() => host.Audit.Any(line => line.Text.Contains("in force", StringComparison.Ordinal)));

        await impatient.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Wait.UntilAsync(() => host.Audit.Any(line => line.Text.Contains("nobody waits any more", StringComparison.Ordinal)));
        Assert.Equal(DrainOutcome.Draining, Assert.Single(host.Services.GetRequiredService<IBackendControl>().Read()).Outcome);
        Assert.DoesNotContain(host.Log.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_name_makes_no_line_of_its_own_in_the_audit()
    {
        var host = await StartAsync();

        await host.PostAsync("backends:stop?pool=x%0d%0aroot%20from%20here&backend=%e2%80%a8y");

        Assert.DoesNotContain('\n', Assert.Single(host.Audit).Text);
        Assert.DoesNotContain('\u2028', Assert.Single(host.Audit).Text);
    }

    private static (string Outcome, int Total, int Left) Counts(JsonNode drain) => ((string)drain["outcome"]!, (int)drain["total"]!, (int)drain["left"]!);
}
