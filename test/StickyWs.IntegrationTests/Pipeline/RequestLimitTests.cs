using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary><c>Timeouts:Request</c>: the whole time of a request, whatever bytes move.</summary>
public sealed class RequestLimitTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task Before_the_answer_its_end_is_504_and_silence_of_the_backends(Way way)
    {
        var asked = new TaskCompletionSource();
        await using var backend = Backend.Silent(asked);
        var clock = new FakeTimeProvider();
        await using var host = await StartAsync(clock, backend.Address);

        var asking = host.AskAsync(way);
        await asked.Task.WaitAsync(Wait.Bound);
        clock.Advance(Limit);
        var answer = await asking;

        Assert.Equal(504, HttpHead.Status(answer));
        Assert.EndsWith("504 Gateway Timeout: The request took longer than allowed.\n", answer, StringComparison.Ordinal);
        Assert.Equal(["a-TimedOut"], host.Outcomes.Seen);
        Assert.Contains(host.Lines, line => line.Text.StartsWith("Backend pool/a: a request got 504: ", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task An_answer_that_trickles_is_broken_off(Way way)
    {
        var next = new SemaphoreSlim(0);
        await using var backend = new Proxying.RawBackend(async (wire, _) =>
        {
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while (true)
            {
                await wire.WriteAsync(".");
                await next.WaitAsync();
            }
        });
        var clock = new FakeTimeProvider();
        await using var host = await StartAsync(clock, backend.Address);
        using var invoker = AppHost.Invoker();
        using var request = host.Http2Request(way is Way.Http2 ? way : Way.Http2Tls);
        if (way is Way.Http1 or Way.Tls) request.Version = System.Net.HttpVersion.Version11;
        if (way is Way.Http1) request.RequestUri = host.Plain;
        using var answer = await invoker.SendAsync(request, Wait.Token());
        var body = await answer.Content.ReadAsStreamAsync();

        for (var i = 0; i < 6; i++)
        {
            await body.ReadExactlyAsync(new byte[1]);
            if (i == 5) break;
            clock.Advance(Limit / 6);
            next.Release();
        }

        clock.Advance(Limit / 6);
        await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadExactlyAsync(new byte[1]));

        await host.FinishAsync();
        Assert.Equal(["a+"], host.Outcomes.Seen);
    }

    [Theory]
    [MemberData(nameof(AppHost.Handshakes), MemberType = typeof(AppHost))]
    public async Task A_declined_handshake_has_the_same_limit(Way way)
    {
        await using var backend = new Proxying.RawBackend((wire, _) => wire.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n."));
        var clock = new FakeTimeProvider();
        await using var host = await StartAsync(clock, backend.Address);
        if (way == Way.Connect)
        {
            using var invoker = AppHost.Invoker();
            using var request = host.Http2Request(way);
            using var answer = await invoker.SendAsync(request, Wait.Token());
            var body = await answer.Content.ReadAsStreamAsync();
            await body.ReadExactlyAsync(new byte[1]);
            clock.Advance(Limit);
            await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadExactlyAsync(new byte[1]));
            return;
        }

        await using var client = await host.ConnectAsync(way);
        Assert.Equal(403, HttpHead.Status(await client.AskAsync(AppHost.Head(way))));
        await client.ReadExactlyAsync(1);
        clock.Advance(Limit);
        await client.WaitForEndAsync();
    }

    [Theory]
    [MemberData(nameof(AppHost.Handshakes), MemberType = typeof(AppHost))]
    public async Task A_tunnel_has_none(Way way)
    {
        await using var backend = Backend.Answering();
        var clock = new FakeTimeProvider();
        await using var host = await StartAsync(clock, backend.Address);
        if (way == Way.Connect)
        {
            using var invoker = AppHost.Invoker();
            using var request = host.Http2Request(way);
            using var answer = await invoker.SendAsync(request, Wait.Token());
            Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
            clock.Advance(3 * Limit);
            Assert.Equal(1, host.Registry.Tunnels.Count);
            return;
        }

        await using var client = await host.ConnectAsync(way);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(AppHost.Head(way))));
        clock.Advance(3 * Limit);
        Assert.Equal(1, host.Registry.Tunnels.Count);
    }

    private static Task<AppHost> StartAsync(FakeTimeProvider clock, Uri backend) => AppHost.StartAsync(
        services => services.AddSingleton<TimeProvider>(clock),
        _ => { },
        (_, pool) =>
        {
            pool.Timeouts.Request = Limit;
            pool.Timeouts.Handshake = pool.Timeouts.Activity = TimeSpan.FromMinutes(10);
        },
        backend);
}
