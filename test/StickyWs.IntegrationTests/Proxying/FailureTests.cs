using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class FailureTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_one_of_three_backends_dead_no_client_sees_an_error(bool withBody)
    {
        await using var a = await KestrelBackend.StartAsync(EchoAsync);
        await using var c = await KestrelBackend.StartAsync(EchoAsync);
        var (held, dead) = RawBackend.Dead();
        using var holding = held;
        await using var proxy = await StartAsync(a.Address, dead, c.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 12; i++)
        {
            using var answer = withBody ? await client.PostAsync("/", new StringContent($"body {i}")) : await client.GetAsync("/");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(withBody ? $"body {i}" : "", await answer.Content.ReadAsStringAsync());
        }

        Assert.All(proxy.Outcomes.Failures, failure => Assert.Equal("b-Refused", failure));
        Assert.NotEmpty(proxy.Outcomes.Failures);
        Assert.Equal(12, proxy.Outcomes.Seen.Count(outcome => outcome is "a+" or "c+"));
    }

    [Fact]
    public async Task When_all_backends_are_dead_the_answer_is_502_after_each_was_tried_once()
    {
        var (held, dead) = RawBackend.Dead();
        var (held2, dead2) = RawBackend.Dead();
        using var holding = held;
        using var holding2 = held2;
        await using var proxy = await StartAsync(dead, dead2);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.PostAsync("/", new StringContent("body"));
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal("502 Bad Gateway: No backend could be reached.\n", await answer.Content.ReadAsStringAsync());
        Assert.Equal(["a-Refused", "b-Refused"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task When_no_backend_is_eligible_the_answer_is_503_with_a_time_to_come_again()
    {
        await using var a = await KestrelBackend.StartAsync("a");
        await using var proxy = await StartAsync(pool => (pool.RetryAfter, pool.Health.Tcp) = (TimeSpan.FromSeconds(6.5), new TcpProbeOptions()), a.Address);
        proxy.Registry.Report(proxy.Pool.Backends[0], BackendState.Unhealthy, "test");
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 7, 14);
        Assert.Empty(proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_silent_backend_is_504_and_is_not_asked_twice()
    {
        await using var a = new RawBackend((_, _) => Task.CompletedTask);
        await using var b = new RawBackend((_, _) => Task.CompletedTask);
        await using var proxy = await StartAsync(pool => pool.Timeouts.Activity = TimeSpan.FromMilliseconds(200), a.Address, b.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal(["a-TimedOut"], proxy.Outcomes.Seen);
        Assert.Empty(b.Heads);
    }

    [Fact]
    public async Task A_backend_that_takes_no_connection_in_time_is_passed_over()
    {
        await using var silent = new RawBackend((_, _) => Task.CompletedTask);
        await using var proxy = await StartAsync(
            pool => pool.Timeouts.Connect = TimeSpan.FromMilliseconds(100), new Uri($"https://127.0.0.1:{silent.Address.Port}"));
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.PostAsync("/", new StringContent("body"));
        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal(["a-ConnectTimedOut"], proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData("POST", "Content-Length: 4\r\n\r\nbody")]
    [InlineData("POST", "\r\n")]
    [InlineData("DELETE", "\r\n")]
    [InlineData("PATCH", "Content-Length: 0\r\n\r\n")]
    public async Task A_request_that_may_have_had_an_effect_is_never_sent_twice(string method, string rest)
    {
        await using var a = RawBackend.Closing();
        await using var b = RawBackend.Closing();
        await using var proxy = await StartAsync(a.Address, b.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"{method} / HTTP/1.1\r\nHost: example.test\r\n{rest}");
        Assert.StartsWith("HTTP/1.1 502", await client.ReadHeadAsync());
        Assert.Single(a.Heads);
        Assert.Empty(b.Heads);
        Assert.Equal(["a-NoAnswer"], proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    public async Task A_safe_request_that_got_no_answer_is_tried_on_one_other_backend(string method)
    {
        await using var a = RawBackend.Closing();
        await using var b = await KestrelBackend.StartAsync("b");
        await using var proxy = await StartAsync(a.Address, b.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var request = new HttpRequestMessage(new HttpMethod(method), "/");
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(["a-NoAnswer", "b+"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_safe_request_that_nobody_answers_is_tried_on_one_other_backend_only()
    {
        await using var a = RawBackend.Closing();
        await using var b = RawBackend.Closing();
        await using var c = RawBackend.Closing();
        await using var proxy = await StartAsync(a.Address, b.Address, c.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(2, proxy.Outcomes.Seen.Distinct().Count());
        Assert.Single(new[] { a, b, c }, backend => backend.Heads.Count == 0);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Control: a\u0001b\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")]
    public async Task An_answer_that_is_none_is_502(string nonsense)
    {
        await using var a = RawBackend.Answering(nonsense);
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502", await client.ReadHeadAsync());
        Assert.Contains("a-BadAnswer", proxy.Outcomes.Seen);
        Assert.Single(a.Heads);
    }

    [Fact]
    public async Task A_101_that_nobody_asked_for_is_502_and_no_tunnel()
    {
        await using var a = RawBackend.Answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3\r\n\r\n");
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502", await client.ReadHeadAsync());
        Assert.DoesNotContain("Upgrade", Assert.Single(a.Heads), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Content-Length: 100\r\n\r\npart")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")]
    public async Task An_answer_that_breaks_off_is_visibly_cut(string rest)
    {
        var wasRead = new TaskCompletionSource();
        await using var a = new RawBackend(async (wire, _) =>
        {
            await wire.WriteAsync($"HTTP/1.1 200 OK\r\n{rest}");
            await wasRead.Task;
            wire.Dispose();
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        wasRead.SetResult();
        await Assert.ThrowsAsync<HttpRequestException>(answer.Content.ReadAsStringAsync);
        await proxy.FinishAsync();
        Assert.Equal(["a+", "a-BrokenAnswer"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_before_its_body_is_502()
    {
        await using var a = new RawBackend(async (wire, _) =>
        {
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Secret: 1\r\n\r\n");
            wire.Dispose();
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        if (IsDirect)
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/")); // The head does not wait for the body.
            return;
        }

        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.False(answer.Headers.Contains("X-Secret"));
    }

    [Theory]
    [InlineData(HttpProtocols.Http1, BackendHttpVersion.Http1)]
    [InlineData(HttpProtocols.Http2, BackendHttpVersion.Http2)]
    public async Task A_client_that_stalls_in_its_body_is_408_and_no_fault_of_the_backend(HttpProtocols protocols, BackendHttpVersion version)
    {
        await using var a = await KestrelBackend.StartAsync(context => context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted), protocols);
        await using var proxy = await StartAsync(
            pool =>
            {
                pool.Timeouts.Activity = TimeSpan.FromMilliseconds(200);
                pool.HttpVersion = version;
            },
            a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 10\r\n\r\n0123");
        Assert.StartsWith("HTTP/1.1 408", await client.ReadHeadAsync());
        Assert.Empty(proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_backend_that_is_silent_on_an_expectation_is_504_and_blamed()
    {
        await using var a = new RawBackend((_, _) => Task.CompletedTask);
        await using var proxy = await StartAsync(pool => pool.Timeouts.Activity = TimeSpan.FromMilliseconds(200), a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 504", await client.ReadHeadAsync());
        Assert.Equal(["a-TimedOut"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_client_body_that_is_malformed_is_400_and_no_fault_of_the_backend()
    {
        await using var a = new RawBackend((_, _) => Task.CompletedTask);
        await using var proxy = await StartAsync(a.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: example.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbodyXX");
        Assert.StartsWith("HTTP/1.1 400", await client.ReadHeadAsync());
        Assert.Empty(proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_connection_that_the_backend_closed_while_idle_costs_nobody_an_error()
    {
        var closed = new SemaphoreSlim(0);
        await using var a = new RawBackend(async (wire, _) =>
        {
            await wire.WriteAsync(Ok);
            wire.Dispose();
            closed.Release();
        });
        await using var proxy = await StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("ok", await client.GetStringAsync("/"));
            await closed.WaitAsync();
        }

        Assert.Empty(proxy.Outcomes.Failures);
    }

    private static async Task EchoAsync(Microsoft.AspNetCore.Http.HttpContext context) => await context.Request.Body.CopyToAsync(context.Response.Body);

    public sealed class OnIoUring() : FailureTests(Lane.Raw);

    public sealed class OnEpoll() : FailureTests(Lane.RawEpoll);

    public sealed class Inline() : FailureTests(Lane.RawInline);

    public sealed class Portable() : FailureTests(Lane.Portable);

    public sealed class Direct() : FailureTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : FailureTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : FailureTests(Lane.RawTls, isDirect: true);

    public sealed class OfHttpsClients() : FailureTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : FailureTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : FailureTests(Lane.RawTlsKept);
}
