using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>The application's own time-outs (<c>UseRequestTimeouts</c>).</summary>
public sealed class RequestTimeoutTests
{
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task Its_end_before_the_answer_is_what_the_application_says_and_a_request_that_the_backend_left_unanswered(Way way)
    {
        await using var backend = Backend.Silent(new TaskCompletionSource());
        foreach (var (status, text) in new[] { ((int?)null, (string?)null), (503, "too slow") })
        {
            await using var host = await StartAsync(TimeSpan.FromMilliseconds(200), status, text, backend.Address);

            var answer = await host.AskAsync(way);

            Assert.Equal(status ?? 504, HttpHead.Status(answer));
            Assert.EndsWith(text ?? "", answer, StringComparison.Ordinal);
            if (way is Way.Http1 or Way.Tls or Way.Http2 or Way.Http2Tls) await Wait.UntilAsync(() => host.Outcomes.Seen is ["a-TimedOut"]);
            else Assert.Empty(host.Outcomes.Seen); // A handshake's own limit is shorter than what an application would set.
        }
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task Its_end_in_the_midst_of_an_answer_breaks_that_off(Way way)
    {
        await using var backend = new Proxying.RawBackend((wire, _) => wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"));
        var clock = new CancellationTokenSource();
        await using var host = await AppHost.StartAsync(app => app.Use((context, next) => TimedAsync(context, next, clock, new Timeout(clock))),
            backend.Address);
        if (way is Way.Http1 or Way.Tls)
        {
            await using var client = await host.ConnectAsync(way);
            await client.AskAsync(AppHost.Head(way));
            Assert.Equal("part", await client.ReadTextAsync(4));
            await clock.CancelAsync();
            await client.WaitForEndAsync();
        }
        else
        {
            using var invoker = AppHost.Invoker();
            using var request = host.Http2Request(way);
            using var answer = await invoker.SendAsync(request, Wait.Token());
            var stream = await answer.Content.ReadAsStreamAsync();
            await stream.ReadExactlyAsync(new byte[4]);
            await clock.CancelAsync();
            await Assert.ThrowsAnyAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1]));
        }

        Assert.Empty(host.Outcomes.Failures);
    }

    [Theory]
    [InlineData(Way.KeptAlive)]
    [InlineData(Way.TlsHandshake)]
    [InlineData(Way.Connect)]
    public async Task A_tunnel_is_freed_of_it_and_a_handshake_is_not(Way way)
    {
        var asked = new TaskCompletionSource();
        var mayOpen = new TaskCompletionSource();
        await using var backend = new Proxying.RawBackend(async (wire, head) =>
        {
            asked.SetResult();
            await mayOpen.Task;
            await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
        });
        var clock = new CancellationTokenSource();
        var timeout = new Timeout(clock);
        await using var host = await AppHost.StartAsync(app => app.Use((context, next) => TimedAsync(context, next, clock, timeout)), backend.Address);

        var asking = host.AskAsync(way);
        await asked.Task.WaitAsync(Wait.Bound);
        Assert.False(timeout.IsDisabled);
        mayOpen.SetResult();

        Assert.Equal(101, HttpHead.Status(await asking));
        Assert.True(timeout.IsDisabled);
    }

    private static async Task TimedAsync(HttpContext context, RequestDelegate next, CancellationTokenSource clock, Timeout timeout)
    {
        if (context.GetEndpoint() is not null)
        {
            await next(context);
            return;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, clock.Token);
        context.RequestAborted = either.Token;
        context.Features.Set<IHttpRequestTimeoutFeature>(timeout);
        await next(context);
    }

    private static Task<AppHost> StartAsync(TimeSpan time, int? status, string? text, Uri backend) => AppHost.StartAsync(
        services => services.AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy
        {
            Timeout = time,
            TimeoutStatusCode = status,
            WriteTimeoutResponse = text is null ? null : context => context.Response.WriteAsync(text),
        }),
        app => app.UseRequestTimeouts(),
        (_, _) => { },
        backend);

    /// <summary>As the framework's, with the test in the place of the clock.</summary>
    private sealed class Timeout(CancellationTokenSource clock) : IHttpRequestTimeoutFeature
    {
        public bool IsDisabled { get; private set; }

        public CancellationToken RequestTimeoutToken => clock.Token;

        public void DisableTimeout() => IsDisabled = true;
    }
}
