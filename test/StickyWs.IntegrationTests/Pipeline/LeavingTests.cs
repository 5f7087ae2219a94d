using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>Clients that leave: 499 in logs, whenever they do, and nobody's fault.</summary>
public sealed class LeavingTests
{
    private const string Length = "Content-Length: 100\r\n\r\npart";
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n";

    public static TheoryData<Way, string, bool, bool> Uploads { get; } = new(
        from way in new[] { Way.Http1, Way.Tls }
        from framing in new[] { Length, Chunked }
        from isReset in new[] { false, true }
        from isTimed in new[] { false, true }
        select (way, framing, isReset, isTimed));

    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task In_its_upload(Way way, string framing, bool isReset, bool isTimed)
    {
        var asked = new TaskCompletionSource();
        await using var backend = Backend.Silent(asked);
        await using var host = await StartAsync(isTimed, backend.Address);
        await using (var client = await host.ConnectAsync(way))
        {
            await client.WriteAsync($"POST / HTTP/1.1\r\nHost: example.test\r\n{framing}");
            await asked.Task.WaitAsync(Wait.Bound);
            if (isReset) client.Reset();
        }

        await AssertLeftAsync(host);
    }

    [Theory]
    [InlineData(Way.Http2)]
    [InlineData(Way.Http2Tls)]
    public async Task In_its_upload_over_HTTP2(Way way)
    {
        var asked = new TaskCompletionSource();
        await using var backend = Backend.Silent(asked);
        await using var host = await StartAsync(isTimed: false, backend.Address);
        using var invoker = AppHost.Invoker();
        using var request = host.Http2Request(way);
        request.Method = HttpMethod.Post;
        request.Content = new EndlessContent();
        using var leaving = new CancellationTokenSource();

        var asking = invoker.SendAsync(request, leaving.Token);
        await asked.Task.WaitAsync(Wait.Bound);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await AssertLeftAsync(host);
    }

    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task Before_its_answer(Way way)
    {
        var asked = new TaskCompletionSource();
        await using var backend = Backend.Silent(asked);
        await using var host = await StartAsync(isTimed: false, backend.Address);
        if (way is Way.Http2 or Way.Http2Tls or Way.Connect)
        {
            using var invoker = AppHost.Invoker();
            using var request = host.Http2Request(way);
            using var leaving = new CancellationTokenSource();
            var asking = invoker.SendAsync(request, leaving.Token);
            await asked.Task.WaitAsync(Wait.Bound);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        }
        else
        {
            await using var client = await host.ConnectAsync(way);
            await client.WriteAsync(AppHost.Head(way));
            await asked.Task.WaitAsync(Wait.Bound);
            client.Reset();
        }

        await AssertLeftAsync(host);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task In_the_midst_of_its_answer_which_keeps_its_status(Way way)
    {
        await using var backend = new Proxying.RawBackend((wire, _) => wire.WriteAsync("HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\npart"));
        await using var host = await StartAsync(isTimed: false, backend.Address);
        if (way is Way.Http2 or Way.Http2Tls)
        {
            using var invoker = AppHost.Invoker();
            using var request = host.Http2Request(way);
            using var answer = await invoker.SendAsync(request, Wait.Token());
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[4]);
        }
        else
        {
            await using var client = await host.ConnectAsync(way);
            await client.AskAsync(AppHost.Head(way));
            await client.ReadExactlyAsync(4);
            client.Reset();
        }

        await Wait.UntilAsync(() => host.Statuses.Count == 1);
        Assert.Equal(206, Assert.Single(host.Statuses));
        Assert.Empty(host.Outcomes.Failures);
    }

    [Fact]
    public async Task A_body_that_is_malformed_is_still_400()
    {
        var asked = new TaskCompletionSource();
        await using var backend = Backend.Silent(asked);
        await using var host = await StartAsync(isTimed: false, backend.Address);
        await using var client = await host.ConnectAsync(Way.Http1);
        await client.WriteAsync($"POST / HTTP/1.1\r\nHost: example.test\r\n{Chunked}");
        await asked.Task.WaitAsync(Wait.Bound);

        Assert.Equal(400, HttpHead.Status(await client.AskAsync("no chunk\r\n")));
    }

    private static async Task AssertLeftAsync(AppHost host)
    {
        await Wait.UntilAsync(() => host.Statuses.Count == 1);
        Assert.Equal(499, Assert.Single(host.Statuses));
        Assert.Empty(host.Outcomes.Seen);
        Assert.DoesNotContain(host.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    private static Task<AppHost> StartAsync(bool isTimed, Uri backend) => AppHost.StartAsync(
        services => services.AddRequestTimeouts(options => options.DefaultPolicy = new() { Timeout = TimeSpan.FromMinutes(5) }),
        app =>
        {
            if (isTimed) app.UseRequestTimeouts();
        },
        (_, _) => { },
        backend);

    private sealed class EndlessContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
            => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("part"u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
