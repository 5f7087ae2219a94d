using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;
using RawBackend = StickyWs.IntegrationTests.Proxying.RawBackend;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>What a client gets when there is no answer of a backend: the application's page where it has one, else our line.</summary>
public sealed class RefusalTests
{
    public static TheoryData<Way, int> WaysAndStatuses { get; } = new(
        from way in Enum.GetValues<Way>()
        where way != Way.Sniffed
        from status in new[] { 502, 503, 504 }
        select (way, status));

    [Theory]
    [MemberData(nameof(WaysAndStatuses))]
    public async Task The_applications_page_is_what_a_client_gets(Way way, int status)
    {
        await using var setting = await StartAsync(status,
            app => app.UseStatusCodePages(context => context.HttpContext.Response.WriteAsync($"page {context.HttpContext.Response.StatusCode}")));

        var answer = await setting.Host.AskAsync(way);

        Assert.Equal(status, HttpHead.Status(answer));
        Assert.EndsWith($"page {status}", answer, StringComparison.Ordinal);
        Assert.InRange(HttpHead.RetryAfter(answer), status == 503 ? 5 : -1, status == 503 ? 10 : -1);
    }

    [Theory]
    [MemberData(nameof(WaysAndStatuses))]
    public async Task A_page_that_is_made_by_an_endpoint_is_found(Way way, int status)
    {
        await using var setting = await StartAsync(status, app =>
        {
            app.UseStatusCodePagesWithReExecute("/error/{0}");
            app.UseRouting();
            app.Map("/error/{status}", (int status) => $"endpoint {status}");
        });

        var answer = await setting.Host.AskAsync(way);

        Assert.Equal(status, HttpHead.Status(answer));
        Assert.EndsWith($"endpoint {status}", answer, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task A_page_that_would_be_the_pools_is_not_asked_for(Way way)
    {
        await using var backend = RawBackend.Closing();
        await using var host = await AppHost.StartAsync(app => app.UseStatusCodePagesWithReExecute("/error/{0}"), backend.Address);

        Assert.Equal(502, HttpHead.Status(await host.AskAsync(way)));

        Assert.DoesNotContain(backend.Heads, head => head.Contains("/error/", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task A_fallback_endpoint_may_be_the_page(Way way)
    {
        await using var backend = RawBackend.Closing();
        await using var host = await AppHost.StartAsync(
            app =>
            {
                app.UseStatusCodePagesWithReExecute("/error/{0}");
                app.UseRouting();
                app.MapFallback(() => "fallback");
            },
            backend.Address);

        var answer = await host.AskAsync(way);

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.EndsWith("fallback", answer, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(WaysAndStatuses))]
    public async Task Without_a_page_it_is_our_line(Way way, int status)
    {
        await using var setting = await StartAsync(status, _ => { });

        var answer = await setting.Host.AskAsync(way);

        Assert.Equal(status, HttpHead.Status(answer));
        Assert.StartsWith("text/plain", HttpHead.Value(answer, "Content-Type"), StringComparison.Ordinal);
        Assert.Contains("backend", answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task Problem_details_are_a_page_too(Way way)
    {
        await using var setting = await StartAsync(502, app => app.UseStatusCodePages(), services => services.AddProblemDetails());

        var answer = await setting.Host.AskAsync(way);

        Assert.Equal(["application/problem+json"], HttpHead.Values(answer, "Content-Type"));
        Assert.Contains("\"status\":502", answer, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task What_a_backend_answers_is_no_refusal_of_ours(Way way)
    {
        await using var backend = new Proxying.RawBackend((wire, _) => wire.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"));
        await using var host = await AppHost.StartAsync(app => app.UseStatusCodePages(), backend.Address);

        Assert.EndsWith("none", await host.AskAsync(way), StringComparison.Ordinal);
    }

    private static async Task<Setting> StartAsync(int status, Action<WebApplication> use, Action<IServiceCollection>? add = null)
    {
        var backend = status == 504 ? Backend.Silent(new TaskCompletionSource()) : RawBackend.Closing();
        var host = await AppHost.StartAsync(
            add ?? (_ => { }),
            use,
            (_, pool) =>
            {
                if (status == 503) pool.Backends["a"].Enabled = false;
                if (status == 504) pool.Timeouts.Activity = pool.Timeouts.Handshake = TimeSpan.FromMilliseconds(200);
            },
            backend.Address);
        return new Setting(host, backend);
    }

    private sealed record Setting(AppHost Host, RawBackend Backend) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Backend.DisposeAsync();
        }
    }
}
