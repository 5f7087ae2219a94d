using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class StreamingTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const int Large = 64 * 1024 * 1024;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Large_bodies_arrive_whole_in_both_directions(bool http2)
    {
        var body = new byte[Large];
        Random.Shared.NextBytes(body);
        await using var a = await KestrelBackend.StartAsync(async context =>
        {
            context.Response.Headers["X-Hash"] = Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body));
            await context.Response.Body.WriteAsync(body);
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(http2 ? proxy.Http2 : proxy.Http1, http2);
        using var answer = await client.PostAsync("/", new ByteArrayContent(body));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), Assert.Single(answer.Headers.GetValues("X-Hash")));
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(await answer.Content.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task A_part_of_a_body_arrives_before_the_next_part_is_made()
    {
        var first = new TaskCompletionSource<string>();
        await using var a = new RawBackend(async (wire, _) =>
        {
            first.SetResult(await wire.ReadAsync(10));
            Assert.Equal("6\r\nsecond\r\n0\r\n\r\n", await wire.ReadAsync(16));
            await wire.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        Assert.Equal("5\r\nfirst\r\n", await first.Task);
        await client.WriteAsync("6\r\nsecond\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 204", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task A_part_of_an_answer_arrives_before_the_next_part_is_made()
    {
        var wasRead = new SemaphoreSlim(0);
        await using var a = await KestrelBackend.StartAsync(async context =>
        {
            for (var i = 0; i < 5; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n");
                await context.Response.Body.FlushAsync();
                await wasRead.WaitAsync();
            }
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var reader = new StreamReader(await client.GetStreamAsync("/"));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync());
            wasRead.Release();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_away_is_felt_by_the_backend_and_blamed_on_nobody(bool whileSending)
    {
        var arrived = new TaskCompletionSource();
        var aborted = new TaskCompletionSource();
        await using var a = await KestrelBackend.StartAsync(async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            arrived.SetResult();
            await aborted.Task;
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync(whileSending
            ? "POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 100\r\n\r\npart"
            : "GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await arrived.Task;
        Assert.Equal(1, proxy.Pool.Backends[0].ActiveRequests);
        client.Reset();
        await aborted.Task;
        await proxy.FinishAsync();
        Assert.Empty(proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_answer_is_felt_by_the_backend()
    {
        var aborted = new TaskCompletionSource();
        await using var a = await KestrelBackend.StartAsync(async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            await context.Response.WriteAsync("part");
            await context.Response.Body.FlushAsync();
            await aborted.Task;
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        await client.ReadHeadAsync();
        client.Reset();
        await aborted.Task;
        await proxy.FinishAsync();
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_body_waits_for_the_backends_100_continue()
    {
        var isBodyAllowed = new TaskCompletionSource();
        await using var a = new RawBackend(async (wire, _) =>
        {
            await isBodyAllowed.Task;
            await wire.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
            var body = await wire.ReadAsync(4);
            await wire.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{body}");
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        isBodyAllowed.SetResult();
        Assert.StartsWith("HTTP/1.1 100", await client.ReadHeadAsync());
        await client.WriteAsync("body");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync());
        Assert.Equal("body", await client.ReadAsync(4));
        Assert.Contains("\r\nExpect: 100-continue\r\n", Assert.Single(a.Heads), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_body_that_the_backend_does_not_want_is_not_asked_for()
    {
        await using var a = RawBackend.Answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nExpect: 100-continue\r\nContent-Length: 4000\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401", await client.ReadHeadAsync());
    }

    [Fact]
    public async Task Trailers_of_an_answer_reach_a_client_that_can_get_them()
    {
        await using var a = RawBackend.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n");
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http2, http2: true);
        using var answer = await client.GetAsync("/");
        Assert.Equal("body", await answer.Content.ReadAsStringAsync());
        Assert.Equal("42", Assert.Single(answer.TrailingHeaders.GetValues("X-Sum")));
    }

    // Kestrel writes no trailers in HTTP/1.1, where RFC 9110 section 6.5.1 lets them be dropped.
    [Fact]
    public async Task Trailers_do_no_harm_to_an_answer_over_http1()
    {
        await using var a = RawBackend.Answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n");
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        Assert.Equal("body", await client.GetStringAsync("/"));
        Assert.Equal("body", await client.GetStringAsync("/"));
        Assert.Equal(["a+", "a+"], proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    [InlineData("GET", 404)]
    [InlineData("GET", 599)]
    public async Task Answers_without_a_body_and_of_any_status_pass(string method, int status)
    {
        await using var a = await KestrelBackend.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/");
        using var answer = await client.SendAsync(request);
        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    public sealed class OnIoUring() : StreamingTests(Lane.Raw);

    public sealed class OnEpoll() : StreamingTests(Lane.RawEpoll);

    public sealed class Inline() : StreamingTests(Lane.RawInline);

    public sealed class Portable() : StreamingTests(Lane.Portable);

    public sealed class Direct() : StreamingTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : StreamingTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : StreamingTests(Lane.RawTls, isDirect: true);

    public sealed class OfHttpsClients() : StreamingTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : StreamingTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : StreamingTests(Lane.RawTlsKept);
}
