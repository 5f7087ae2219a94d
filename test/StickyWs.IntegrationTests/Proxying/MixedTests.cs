using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Clients that mix requests of the app and of a direct pool on one connection: what is the pool's stays in the lane.</summary>
public abstract class MixedTests(Lane lane)
{
    private readonly ConcurrentQueue<string> _inPipeline = [];
    private readonly ConcurrentQueue<string> _connections = [];

    [Fact]
    public async Task The_lane_is_kept_however_often_the_app_is_asked_in_between()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(Answer, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal($"app /app/{i}", await GetAsync(client, $"/app/{i}"));
            Assert.Equal($"pool /api/{i}", await GetAsync(client, $"/api/{i}"));
        }

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"/app/{i}"), _inPipeline);
        Assert.Single(_connections.Distinct());
        Assert.Equal(51, proxy.Outcomes.Seen.Count); // One led the listener's clients here.
    }

    [Fact]
    public async Task The_app_sees_the_clients_connection()
    {
        await using var backend = await PoolAsync();
        var seen = new ConcurrentQueue<(string Id, string Peer, string Local, bool IsHttps, bool HasCertificates, string? Items)>();
        await using var proxy = await StartAsync(
            context =>
            {
                var (connection, items) = (context.Connection, context.Features.Get<IConnectionItemsFeature>()!.Items);
                seen.Enqueue((connection.Id, $"{connection.RemoteIpAddress}:{connection.RemotePort}", $"{connection.LocalIpAddress}:{connection.LocalPort}",
                    context.Request.IsHttps && context.Features.Get<ITlsHandshakeFeature>() is not null,
                    context.Features.Get<ITlsConnectionFeature>() is not null, items.TryGetValue("of the test", out var item) ? (string?)item : null));
                items["of the test"] = "kept";
                return context.Response.WriteAsync("ok");
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await GetAsync(client, "/app/1");
        await GetAsync(client, "/api/1");
        await GetAsync(client, "/app/2");
        await GetAsync(client, "/app/odd%41"); // Handed on for good.
        var all = seen.ToArray();
        Assert.Equal(3, all.Length);
        Assert.Single(all.Select(one => (one.Id, one.Peer, one.Local)).Distinct());
        Assert.Equal($"127.0.0.1:{client.Port}", all[0].Peer);
        Assert.Equal($"127.0.0.1:{proxy.Http1.Port}", all[0].Local);
        Assert.All(all, one => Assert.Equal((lane.IsTls(), lane.IsTls()), (one.IsHttps, one.HasCertificates)));
        Assert.Equal([null, "kept", "kept"], all.Select(one => one.Items));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bodies_pass_both_ways_byte_for_byte(bool isChunked)
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(
            async context =>
            {
                if (!isChunked) context.Response.ContentLength = context.Request.ContentLength;
                await context.Request.Body.CopyToAsync(context.Response.Body);
            },
            backend.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var random = new Random(1);
        foreach (var size in (int[])[0, 1, 100, 8_000, 70_000, 5_000_000, 1])
        {
            var sent = new byte[size];
            random.NextBytes(sent);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/app/echo") { Content = new ByteArrayContent(sent) };
            if (isChunked) request.Headers.TransferEncodingChunked = true;
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(sent, await answer.Content.ReadAsByteArrayAsync());
            Assert.Equal("pool /api/x", await client.GetStringAsync("/api/x"));
        }

        Assert.All(_inPipeline, path => Assert.Equal("/app/echo", path));
        Assert.Single(_connections.Distinct());
    }

    // Nobody holds what the other end does not take: the writer waits, and the whole of it comes.
    [Fact]
    public async Task A_client_that_reads_late_stops_the_app_and_an_app_that_reads_late_the_client()
    {
        const int size = 32 * 1024 * 1024;
        await using var backend = await PoolAsync();
        var (mayRead, isWritten) = (Source(), Source());
        await using var proxy = await StartAsync(
            async context =>
            {
                if (context.Request.Method == "GET")
                {
                    context.Response.ContentLength = size;
                    for (var i = 0; i < size / 65536; i++) await context.Response.Body.WriteAsync(new byte[65536]);
                    isWritten.SetResult();
                    return;
                }

                await mayRead.Task;
                var count = 0L;
                var buffer = new byte[65536];
                while (await context.Request.Body.ReadAsync(buffer) is > 0 and var read) count += read;
                await context.Response.WriteAsync(count.ToString(CultureInfo.InvariantCulture));
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET /app/large HTTP/1.1\r\nHost: a\r\n\r\n");
        var head = await client.ReadHeadAsync();
        Assert.Contains($"Content-Length: {size}", head, StringComparison.Ordinal);
        await Wait.UntilAsync(() => client.Available > 0);
        Assert.False(isWritten.Task.IsCompleted);
        await client.SkipAsync(size);
        await isWritten.Task.WaitAsync(Wait.Bound);

        var writing = Task.Run(async () =>
        {
            await client.WriteAsync($"POST /app/large HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
            var part = new string('x', 65536);
            for (var i = 0; i < size / 65536; i++) await client.WriteAsync(part);
        });
        await Wait.UntilAsync(() => _inPipeline.Count == 2);
        Assert.False(writing.IsCompleted);
        mayRead.SetResult();
        await writing.WaitAsync(Wait.Bound);
        Assert.Contains("200 OK", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal($"{size}", await client.ReadChunkedAsync());
        Assert.Equal("pool /api/x", await GetAsync(client, "/api/x"));
    }

    [Fact]
    public async Task Pipelined_requests_of_both_are_answered_in_order()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(Answer, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        var requests = new StringBuilder();
        var expected = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            var who = i % 5 < 2 ? "app" : "pool";
            var path = $"/{(who == "app" ? "app" : "api")}/{i}";
            requests.Append(i % 3 == 0
                ? $"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                : i % 3 == 1
                    ? $"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n"
                    : $"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            expected.Add($"{who} {path}");
        }

        await client.WriteAsync(requests.ToString());
        foreach (var one in expected) Assert.Equal(one, await ReadAnswerAsync(client));
        Assert.All(_inPipeline, path => Assert.StartsWith("/app/", path, StringComparison.Ordinal));
        Assert.Equal(80, _inPipeline.Count);
    }

    [Fact]
    public async Task Answers_without_a_body_leave_the_lane_as_it_is()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(
            context =>
            {
                context.Response.StatusCode = int.Parse(context.Request.Path.Value!.Split('/')[2], CultureInfo.InvariantCulture);
                if (context.Response.StatusCode == 304) context.Response.Headers.ContentLength = 10;
                if (context.Request.Method == "HEAD") context.Response.ContentLength = 1000;
                return Task.CompletedTask;
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        (string Method, int Status)[] asked =
            [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 404), ("GET", 200), ("GET", 205), ("OPTIONS", 204)];
        foreach (var (method, status) in asked)
        {
            await client.WriteAsync($"{method} /app/{status} HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.StartsWith($"HTTP/1.1 {status} ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            Assert.Equal("pool /api/x", await GetAsync(client, "/api/x"));
        }

        Assert.Equal(7, _inPipeline.Count);
    }

    [Fact]
    public async Task A_client_that_waits_for_a_100_gets_one_when_the_app_reads()
    {
        await using var backend = await PoolAsync();
        var mayRead = Source();
        await using var proxy = await StartAsync(
            async context =>
            {
                await mayRead.Task;
                using var reader = new StreamReader(context.Request.Body);
                await context.Response.WriteAsync(await reader.ReadToEndAsync());
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST /app/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        await Wait.UntilAsync(() => _inPipeline.Count == 1);
        mayRead.SetResult();
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadHeadAsync());
        await client.WriteAsync("hello");
        Assert.Equal("hello", await ReadAnswerAsync(client));
        Assert.Equal("pool /api/x", await GetAsync(client, "/api/x"));
        Assert.Single(_inPipeline);
    }

    // What Kestrel does with the rest of the body, it does here: it reads it, and the connection goes on.
    [Fact]
    public async Task An_app_that_answers_before_it_has_the_body_is_waited_for_until_that_is_used()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(Answer, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST /app/early HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
        Assert.Equal("app /app/early", await ReadAnswerAsync(client));
        await client.WriteAsync(new string('x', 50));
        await client.WriteAsync(new string('y', 50) + "GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Equal("pool /api/x", await ReadAnswerAsync(client));
        Assert.Single(_inPipeline);
    }

    [Fact]
    public async Task An_app_that_closes_ends_the_connection_in_order()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(
            context =>
            {
                context.Response.Headers.Connection = "close";
                return context.Response.WriteAsync(new string('x', 100_000));
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET /app/x HTTP/1.1\r\nHost: a\r\n\r\nGET /api/x HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Contains("Connection: close", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal(new string('x', 100_000), await client.ReadChunkedAsync());
        Assert.Null(await client.ReadHeadAsync());
    }

    [Fact]
    public async Task An_app_that_breaks_off_breaks_the_connection()
    {
        await using var backend = await PoolAsync();
        var mayBreak = Source();
        await using var proxy = await StartAsync(
            async context =>
            {
                context.Response.ContentLength = 100;
                await context.Response.WriteAsync("some");
                await mayBreak.Task;
                context.Abort();
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET /app/x HTTP/1.1\r\nHost: a\r\n\r\nGET /api/x HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadHeadAsync();
        Assert.Equal("some", await client.ReadAsync(4));
        mayBreak.SetResult();
        await Assert.ThrowsAsync<IOException>(() => client.ReadAsync(1));
        using var other = await Wire.ConnectAsync(proxy.Http1);
        Assert.Equal("pool /api/x", await GetAsync(other, "/api/x"));
    }

    [Theory]
    [InlineData(false, "GET /app/x HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(true, "GET /app/x HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(true, "POST /app/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")]
    [InlineData(false, "POST /app/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")]
    public async Task A_client_that_leaves_aborts_its_request(bool isReset, string request)
    {
        await using var backend = await PoolAsync();
        var (hasCome, isAborted) = (Source(), Source());
        await using var proxy = await StartAsync(
            async context =>
            {
                using var aborted = context.RequestAborted.Register(isAborted.SetResult);
                hasCome.SetResult();
                await isAborted.Task;
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        Assert.Equal("pool /api/x", await GetAsync(client, "/api/x"));
        await client.WriteAsync(request);
        await hasCome.Task.WaitAsync(Wait.Bound);
        if (isReset) client.Reset();
        else client.Finish();
        await isAborted.Task.WaitAsync(Wait.Bound);
    }

    // Kestrel words it, and closes.
    [Fact]
    public async Task A_body_that_is_malformed_ends_in_Kestrels_words()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(async context => await context.Request.Body.CopyToAsync(Stream.Null), backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync(
            "POST /app/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n?\r\nGET /api/x HTTP/1.1\r\nHost: a\r\n\r\n");
        var answers = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answers, StringComparison.Ordinal);
        Assert.Equal(2, answers.Split("HTTP/1.1 ").Length);
        Assert.Single(proxy.Outcomes.Seen);
    }

    // Its own framing is the app's to answer for; nobody else's answer may come behind it.
    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "hello")]
    [InlineData("5\r\nhello\r\n", null)]
    [InlineData("zz\r\n", null)]
    public async Task After_an_answer_that_the_app_has_framed_wrongly_nothing_comes(string body, string? good)
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(
            async context =>
            {
                context.Response.Headers.TransferEncoding = "chunked";
                await context.Response.Body.WriteAsync(Encoding.Latin1.GetBytes(body));
            },
            backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET /app/x HTTP/1.1\r\nHost: a\r\n\r\nGET /api/x HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadHeadAsync();
        if (good is null)
        {
            if (body != "zz\r\n") await client.ReadAsync(body.Length);
            return;
        }

        Assert.Equal(good, await client.ReadChunkedAsync());
        Assert.Equal("", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task What_is_odd_goes_to_Kestrel_for_good_also_after_the_app_was_asked()
    {
        await using var backend = await PoolAsync();
        await using var proxy = await StartAsync(Answer, backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        Assert.Equal("app /app/1", await GetAsync(client, "/app/1"));
        await client.WriteAsync(
            "GET /app/2%41 HTTP/1.1\r\nHost: a\r\n\r\nGET /api/3 HTTP/1.1\r\nHost: a\r\n\r\nGET http://a/app/4 HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Equal("app /app/2A", await ReadAnswerAsync(client));
        Assert.Equal("pool /api/3", await ReadAnswerAsync(client));
        Assert.Equal("app /app/4", await ReadAnswerAsync(client));
        Assert.Equal(["/app/1", "/app/2A", "/api/3", "/app/4"], _inPipeline);
    }

    // Clients and an app that break off, close, answer early: whoever gets an answer gets that to its own request.
    [Fact]
    public async Task Every_answer_carries_its_requests_nonce()
    {
        await using var a = await KestrelBackend.StartAsync(MoodyExchange.AnswerAsync);
        await using var b = await KestrelBackend.StartAsync(MoodyExchange.AnswerAsync);
        await using var proxy = await StartAsync(MoodyExchange.AnswerAsync, a.Address, b.Address);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(client => Task.Run(() => MoodyExchange.AskAsync(proxy.Http1, client, 8, 25, "/app", "/api"))));
        Assert.All(answers, count => Assert.InRange(count, 50, int.MaxValue));
        Assert.All(_inPipeline, path => Assert.StartsWith("/app/", path, StringComparison.Ordinal));
    }

    private static Task Answer(HttpContext context)
    {
        var text = $"app {context.Request.Path}";
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text);
    }

    private static TaskCompletionSource Source() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Task<KestrelBackend> PoolAsync() => KestrelBackend.StartAsync(async context =>
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        var text = $"pool {context.Request.Path}";
        context.Response.ContentLength = text.Length;
        await context.Response.WriteAsync(text);
    });

    private static async Task<string> GetAsync(Wire client, string path)
    {
        await client.WriteAsync($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        return await ReadAnswerAsync(client);
    }

    private static async Task<string> ReadAnswerAsync(Wire client)
    {
        var head = await client.ReadHeadAsync() ?? throw new EndOfStreamException();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        return HttpHead.Value(head, "Content-Length") is { } length
            ? await client.ReadAsync(int.Parse(length, CultureInfo.InvariantCulture))
            : await client.ReadChunkedAsync();
    }

    private async Task<ProxyHost> StartAsync(RequestDelegate answer, params Uri[] backends)
    {
        var proxy = await ProxyHost.StartAsync(
            lane,
            (_, pool) =>
            {
                pool.Http = HttpMode.Direct;
                pool.Match.PathPrefixes.Add("/api");
            },
            app => app.Use(next => context =>
            {
                _inPipeline.Enqueue(context.Request.Path.Value!);
                _connections.Enqueue(context.Connection.Id);
                return context.Request.Path.StartsWithSegments("/app", StringComparison.Ordinal) ? answer(context) : next(context);
            }),
            backends);
        using var first = ProxyHost.Client(proxy.Http1);
        using var led = await first.GetAsync("/api/0/nonce"); // Leads the listener's clients to the lane before Kestrel knows of them.
        return proxy;
    }

    public sealed class OnIoUring() : MixedTests(Lane.Raw);

    public sealed class OnEpoll() : MixedTests(Lane.RawEpoll);

    public sealed class Inline() : MixedTests(Lane.RawInline);

    public sealed class OfHttpsClients() : MixedTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : MixedTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : MixedTests(Lane.RawTlsKept);
}
