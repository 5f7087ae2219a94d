using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.IntegrationTests.Pipeline;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>The lines of what comes through the pipeline of an application that changes it.</summary>
public sealed class PipelineLineTests
{
    // The application answers later, and the client is still there. Lines of requests wait for the answer, those of handshakes do not.
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task The_applications_time_out_has_its_status_and_is_no_client_that_left(Way way)
    {
        await using var backend = Backend.Silent(new TaskCompletionSource());
        await using var host = await StartAsync(
            services => services.AddRequestTimeouts(
                options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(200) }),
            app => app.UseRequestTimeouts(),
            backend.Address);
        using var requests = host.Collect("stickyws.requests");
        using var durations = host.CollectTimes("stickyws.request.duration");
        Assert.Equal(0, FailedRequests()); // From now on it is counted.

        Assert.Equal(504, HttpHead.Status(await host.AskAsync(way)));

        var line = await LineAsync(host);
        Assert.Equal(line.Event == "RequestLine" ? 504 : null, line.Fields["Status"]);
        Assert.Equal(line.Event == "RequestLine" ? "OutOfTime" : null, line.Fields["Outcome"]);
        if (line.Event != "RequestLine") return;
        await Wait.UntilAsync(() => requests.GetMeasurementSnapshot().Count > 0);
        Assert.Equal("5xx", Assert.Single(requests.GetMeasurementSnapshot()).Tags["http.response.status_class"]);
        await Wait.UntilAsync(() => durations.GetMeasurementSnapshot().Count > 0);
        Assert.Equal("OutOfTime", Assert.Single(durations.GetMeasurementSnapshot()).Tags["error.type"]);
        Assert.Equal(1, FailedRequests());

        long FailedRequests() => Assert.Single(Assert.Single(host.State.Read().Pools).Backends).Recent!.FailedRequests;
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task An_application_that_says_otherwise_at_its_time_out_is_told_of_as_it_says(Way way)
    {
        await using var backend = Backend.Silent(new TaskCompletionSource());
        await using var host = await StartAsync(
            services => services.AddRequestTimeouts(
                options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(200), TimeoutStatusCode = 418 }),
            app => app.UseRequestTimeouts(),
            backend.Address);
        using var requests = host.Collect("stickyws.requests");

        Assert.Equal(418, HttpHead.Status(await host.AskAsync(way)));

        Assert.Equal(418, (await LineAsync(host)).Fields["Status"]);
        await Wait.UntilAsync(() => requests.GetMeasurementSnapshot().Count > 0);
        Assert.Equal("4xx", Assert.Single(requests.GetMeasurementSnapshot()).Tags["http.response.status_class"]);
    }

    // Its client is what the application says, its peer is not.
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task Forwarded_headers_of_the_application_do_not_replace_the_peer(Way way)
    {
        await using var backend = Backend.Answering();
        var host = await StartAsync(
            _ => { }, app => app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All }), backend.Address);
        await using (host)
        {
            Assert.InRange(HttpHead.Status(await host.AskAsync(way, headers: "X-Forwarded-For: 203.0.113.9\r\n")), 101, 200);

            var line = await LineAsync(host);
            Assert.Matches("^127\\.0\\.0\\.1:[1-9]", Assert.IsType<string>(line.Fields["Client"]));
            Assert.Equal("203.0.113.9", line.Fields["ForwardedClient"]);
        }
    }

    [Fact]
    public async Task What_is_refused_before_a_backend_is_chosen_has_a_line()
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(_ => { }, _ => { }, backend.Address);
        await using var client = await host.ConnectAsync(Way.Http1);

        var status = HttpHead.Status(await client.AskAsync("CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n"));

        var line = await LineAsync(host);
        Assert.Equal(("RequestLine", "CONNECT", status), (line.Event, line.Fields["Method"], line.Fields["Status"]));
    }

    // Its stream is reset, which is no status.
    [Fact]
    public async Task What_cannot_go_over_HTTP_2_has_a_line()
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(_ => { }, _ => { }, backend.Address);

        await Assert.ThrowsAsync<HttpRequestException>(() => host.AskAsync(Way.Http2, headers: "Authorization: Negotiate abcd\r\n"));

        var line = await LineAsync(host);
        Assert.Equal(("RequestLine", (object?)null, "Refused"), (line.Event, line.Fields["Status"], line.Fields["Outcome"]));
    }

    private static Task<AppHost> StartAsync(Action<IServiceCollection> add, Action<WebApplication> use, Uri backend)
        => AppHost.StartAsync(add, use, static (options, _) => options.AccessLog.Requests = true, backend);

    private static async Task<LogLine> LineAsync(AppHost host)
    {
        await Wait.UntilAsync(() => Lines().Any());
        return Assert.Single(Lines());

        IEnumerable<LogLine> Lines() => host.Log.Lines.Where(line => line.Category == "StickyWs.Access");
    }
}
