using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Plain requests of direct pools: which stay on their reactor, and which go on to Kestrel.</summary>
public abstract class DirectTests(Lane lane, bool isTls = false)
{
    private int _inPipeline;

    [Fact]
    public async Task Requests_on_one_connection_go_to_the_backends_exactly_in_turn_and_pass_no_middleware()
    {
        await using var a = await BackendAsync("a");
        await using var b = await BackendAsync("b");
        await using var proxy = await StartAsync(_ => { }, a.Address, b.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var answers = "";
        for (var i = 0; i < 20; i++) answers += await client.GetStringAsync("/some/path?query=1");
        Assert.Equal(string.Concat(Enumerable.Repeat("ab", 10)), answers);
        Assert.Equal(20, proxy.Outcomes.Seen.Count);
        Assert.Equal(0, _inPipeline);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bodies_pass_both_ways_byte_for_byte(bool isChunked)
    {
        await using var echo = await BackendAsync(async context =>
        {
            if (!isChunked) context.Response.ContentLength = context.Request.ContentLength;
            await context.Request.Body.CopyToAsync(context.Response.Body);
        });
        await using var proxy = await StartAsync(_ => { }, echo.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var random = new Random(1);
        foreach (var size in (int[])[0, 1, 100, 8_000, 70_000, 3_000_000])
        {
            var sent = new byte[size];
            random.NextBytes(sent);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(sent) };
            if (isChunked) request.Headers.TransferEncodingChunked = true;
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(sent, await answer.Content.ReadAsByteArrayAsync());
        }

        Assert.Equal(0, _inPipeline);
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var backend = await BackendAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"{context.Request.Path}{await reader.ReadToEndAsync()};");
        });
        await using var proxy = await StartAsync(_ => { }, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        var requests = new StringBuilder();
        var expected = new StringBuilder();
        for (var i = 0; i < 200; i++)
        {
            requests.Append(i % 3 == 0
                ? $"POST /{i} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                : $"GET /{i} HTTP/1.1\r\nHost: a\r\n{(i == 199 ? "Connection: close\r\n" : "")}\r\n");
            expected.Append($"/{i}{(i % 3 == 0 ? "hello" : "")};");
        }

        await client.WriteAsync(requests.ToString());
        var answers = await client.ReadToEndAsync();
        var bodies = string.Concat(answers.Split("\r\n").Where(line => line.StartsWith('/')).Select(line => line.Split("HTTP/1.1")[0]));
        Assert.Equal(expected.ToString(), bodies);
        Assert.Equal(0, _inPipeline);
    }

    [Theory]
    [InlineData("GET /b%61r HTTP/1.1\r\nHost: a\r\n\r\n", "200")]
    [InlineData("GET http://a/bar HTTP/1.1\r\nHost: a\r\n\r\n", "200")]
    [InlineData("GET /bar HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "400")]
    [InlineData("GET /bar HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400")]
    [InlineData("POST /bar HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc", "400")]
    [InlineData("GET /bar HTTP/1.1\nHost: a\n\n", "200")]
    public async Task A_head_that_is_not_plain_goes_to_Kestrel_with_everything_behind_it(string odd, string status)
    {
        await using var backend = await BackendAsync("ok");
        await using var proxy = await StartAsync(_ => { }, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET /first HTTP/1.1\r\nHost: a\r\n\r\n" + odd + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        var answers = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 200 OK", answers, StringComparison.Ordinal);
        Assert.Contains($"HTTP/1.1 {status} ", answers[10..], StringComparison.Ordinal);
        Assert.Equal(status == "400" ? 2 : 3, answers.Split("HTTP/1.1 ").Length - 1);
        Assert.Equal(status == "400" ? 0 : 2, _inPipeline);
    }

    [Fact]
    public async Task What_belongs_to_no_direct_pool_goes_on_to_the_app()
    {
        await using var backend = await BackendAsync("pool");
        await using var proxy = await StartAsync(pool => pool.Match.PathPrefixes.Add("/api"), backend.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        Assert.Equal("pool", await client.GetStringAsync("/api/x"));
        Assert.Equal(0, _inPipeline);
        Assert.Equal("the app", await client.GetStringAsync("/apis"));
        Assert.Equal("pool", await client.GetStringAsync("/api/x"));
        Assert.Equal(2, _inPipeline);
    }

    [Fact]
    public async Task What_goes_on_to_the_app_is_as_secure_as_it_came()
    {
        await using var backend = await BackendAsync(context => context.Response.WriteAsync(context.Request.Headers["X-Forwarded-Proto"].ToString()));
        var seen = new ConcurrentQueue<(bool IsHttps, bool HasHandshake, bool HasCertificates)>();
        await using var proxy = await ProxyHost.StartAsync(
            lane,
            (_, pool) =>
            {
                pool.Http = HttpMode.Direct;
                pool.Tls.DangerousAcceptAnyCertificate = true;
                pool.Match.PathPrefixes.Add("/api");
            },
            app => app.Use(next => context =>
            {
                var features = context.Features;
                var (handshake, certificates) = (features.Get<ITlsHandshakeFeature>(), features.Get<ITlsConnectionFeature>());
                seen.Enqueue((context.Request.IsHttps, handshake is not null, certificates is not null));
                return next(context);
            }),
            backend.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        Assert.Equal(lane.IsTls() ? "https" : "http", await client.GetStringAsync("/api/x"));
        Assert.Empty(seen);
        Assert.Equal("the app", await client.GetStringAsync("/apis"));
        Assert.Equal([(lane.IsTls(), lane.IsTls(), lane.IsTls())], seen);
    }

    // As Kestrel sees it, a client that has sent its FIN has left.
    [Theory]
    [InlineData(HttpMode.Direct)]
    [InlineData(HttpMode.Pipeline)]
    public async Task A_client_that_finishes_while_its_request_is_under_way_ends_that_at_the_backend(HttpMode http)
    {
        var hasCome = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hasEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = await BackendAsync(async context =>
        {
            context.RequestAborted.Register(hasEnded.SetResult);
            hasCome.SetResult();
            await hasEnded.Task;
        });
        await using var proxy = await StartAsync(pool => pool.Http = http, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await hasCome.Task.WaitAsync(Wait.Bound);
        client.Finish();
        await hasEnded.Task.WaitAsync(Wait.Bound);
        await Wait.UntilAsync(() => proxy.Pool.Backends[0].ActiveRequests == 0);
        Assert.Empty(proxy.Outcomes.Seen);
        Assert.Equal(http == HttpMode.Direct ? 0 : 1, _inPipeline);
    }

    // Backends that close, break off and answer early, and clients that leave at any moment: whoever gets an answer gets that to its own request.
    [Fact]
    public async Task Every_answer_carries_its_requests_nonce()
    {
        await using var a = await BackendAsync(MoodyExchange.AnswerAsync);
        await using var b = await BackendAsync(MoodyExchange.AnswerAsync);
        await using var c = await BackendAsync(MoodyExchange.AnswerAsync);
        await using var proxy = await StartAsync(_ => { }, a.Address, b.Address, c.Address);
        var answers = await Task.WhenAll(Enumerable.Range(0, 24)
            .Select(client => Task.Run(() => MoodyExchange.AskAsync(proxy.Http1, client, 10, 20, ""))));
        Assert.All(answers, count => Assert.InRange(count, 50, int.MaxValue));
        Assert.Equal(0, _inPipeline);
    }

    private Task<KestrelBackend> BackendAsync(RequestDelegate answer)
        => KestrelBackend.StartAsync(_ => { }, app => app.Run(answer), HttpProtocols.Http1, isTls ? TestCertificate.Server : null);

    private Task<KestrelBackend> BackendAsync(string text) => BackendAsync(context => context.Response.WriteAsync(text));

    private Task<ProxyHost> StartAsync(Action<PoolOptions> configure, params Uri[] backends) => ProxyHost.StartAsync(
        lane,
        (_, pool) =>
        {
            pool.Http = HttpMode.Direct;
            pool.Tls.DangerousAcceptAnyCertificate = true;
            configure(pool);
        },
        app => app.Use(next => context =>
        {
            Interlocked.Increment(ref _inPipeline);
            return next(context);
        }),
        backends);

    public sealed class OnIoUring() : DirectTests(Lane.Raw);

    public sealed class OnEpoll() : DirectTests(Lane.RawEpoll);

    public sealed class OfHttpsClients() : DirectTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : DirectTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : DirectTests(Lane.RawTlsKept);

    public sealed class ToHttpsBackends() : DirectTests(Lane.Raw, isTls: true);

    public sealed class ToHttpsBackendsOnEpollByOpenSsl() : DirectTests(Lane.RawEpoll, isTls: true);

    public sealed class InTlsBothWays() : DirectTests(Lane.RawTls, isTls: true);
}
