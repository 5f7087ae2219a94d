using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.TestKit;
using TlsBackend = StickyWs.TestKit.RawBackend;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Connections that the backend closes while they are kept.</summary>
public abstract class StaleConnectionTests(Lane lane, bool isTls = false, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Theory]
    [InlineData("POST", "", false)]
    [InlineData("POST", "body", false)]
    [InlineData("POST", "body", true)]
    [InlineData("DELETE", "", false)]
    [InlineData("GET", "body", false)]
    [InlineData("PUT", "body", true)]
    [InlineData("GET", "", false)]
    [InlineData("GET", "", true)]
    [InlineData("HEAD", "", false)]
    public async Task A_connection_that_was_closed_after_its_answer_costs_no_request(string method, string body, bool isReset)
    {
        var closed = new SemaphoreSlim(0);
        await using var a = Start(async wire =>
        {
            var head = await wire.ReadHeadAsync();
            if (HttpHead.Value(head, "Content-Length") is { } length)
                await wire.ReadExactlyAsync(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture));
            await wire.WriteAsync(head.StartsWith("HEAD", StringComparison.Ordinal) ? Ok[..^2] : Ok);
            if (isReset) wire.Reset();
            else await wire.DisposeAsync();
            closed.Release();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/") { Content = body.Length == 0 ? null : new StringContent(body) };
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(method == "HEAD" ? "" : "ok", await answer.Content.ReadAsStringAsync());
            await closed.WaitAsync();
            await ArrivesAsync(a.Port);
        }

        Assert.Empty(proxy.Outcomes.Failures);
    }

    [Fact]
    public async Task What_a_backend_says_on_an_idle_connection_answers_no_request()
    {
        var said = new SemaphoreSlim(0);
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(4);
            await wire.WriteAsync(Ok);
            try
            {
                await wire.WriteAsync("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                await wire.FinishAsync();
            }
            catch (IOException)
            {
                // The balancer has closed the connection, having seen what nobody asked for.
            }

            said.Release();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 5; i++)
        {
            using var answer = await client.PostAsync("/", new StringContent("body"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await said.WaitAsync(Wait.Token());
        }
    }

    // On a busy machine a socket may be closed some time after its owner has closed it.
    private static async Task ArrivesAsync(int port)
    {
        if (!OperatingSystem.IsLinux()) return;
        var peer = $"0100007F:{port:X4} 01"; // Established, as /proc/net/tcp has it.
        await Wait.UntilAsync(async () => !(await File.ReadAllLinesAsync("/proc/net/tcp")).Any(line => line.Contains($" {peer} ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_serves_no_longer_than_its_options_say(bool isIdleTimeout)
    {
        var time = new FakeTimeProvider();
        await using var a = Start(async wire =>
        {
            while (true)
            {
                await wire.ReadHeadAsync();
                await wire.ReadExactlyAsync(4);
                await wire.WriteAsync(Ok);
            }
        });
        await using var proxy = await StartAsync(
            pool =>
            {
                Trust(pool);
                pool.Connections.IdleTimeout = isIdleTimeout ? TimeSpan.FromMinutes(5) : TimeSpan.FromDays(1);
                pool.Connections.Lifetime = isIdleTimeout ? TimeSpan.FromDays(1) : TimeSpan.FromMinutes(5);
            },
            services => services.AddSingleton<TimeProvider>(time),
            a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        await PostAsync();
        time.Advance(TimeSpan.FromMinutes(4));
        await PostAsync();
        Assert.Equal(1, a.Connections);
        await Wait.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromMinutes(6)); // Once more where the connection was given back only behind this.
            await PostAsync();
            return a.Connections == 2;
        });
        Assert.Empty(proxy.Outcomes.Failures);

        async Task PostAsync()
        {
            using var answer = await client.PostAsync("/", new StringContent("body"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public async Task The_time_that_an_answer_takes_is_not_idle()
    {
        var time = new FakeTimeProvider();
        var (asked, mayAnswer) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        await using var a = Start(async wire =>
        {
            while (true)
            {
                await wire.ReadHeadAsync();
                asked.Release();
                await mayAnswer.WaitAsync();
                await wire.WriteAsync(Ok);
            }
        });
        await using var proxy = await StartAsync(
            pool =>
            {
                Trust(pool);
                (pool.Connections.IdleTimeout, pool.Connections.Lifetime) = (TimeSpan.FromMinutes(5), TimeSpan.FromDays(1));
            },
            services => services.AddSingleton<TimeProvider>(time),
            a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 3; i++)
        {
            var asking = client.GetStringAsync("/");
            await asked.WaitAsync();
            time.Advance(TimeSpan.FromMinutes(6));
            mayAnswer.Release();
            Assert.Equal("ok", await asking);
        }

        Assert.Equal(1, a.Connections);
    }

    // As many as a burst leaves behind.
    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    public async Task However_many_kept_connections_are_too_old_the_next_request_is_served(string method)
    {
        const int Burst = 300;
        var time = new FakeTimeProvider();
        var (all, arrived) = (new TaskCompletionSource(), 0);
        await using var a = Start(async wire =>
        {
            while (true)
            {
                await wire.ReadHeadAsync();
                if (Interlocked.Increment(ref arrived) == Burst) all.SetResult();
                await all.Task;
                await wire.WriteAsync(Ok);
            }
        });
        await using var proxy = await StartAsync(
            pool =>
            {
                Trust(pool);
                (pool.Connections.IdleTimeout, pool.Timeouts.Connect) = (TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5));
            },
            services => services.AddSingleton<TimeProvider>(time),
            a.Uri());
        using var handler = ProxyHost.Trusting();
        handler.MaxConnectionsPerServer = int.MaxValue;
        using var client = new HttpClient(handler) { BaseAddress = proxy.Http1 };
        await Task.WhenAll(Enumerable.Range(0, Burst).Select(_ => AskAsync()));
        time.Advance(TimeSpan.FromMinutes(6));

        await AskAsync();
        Assert.Empty(proxy.Outcomes.Failures);

        async Task AskAsync()
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/");
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    // Longer than one write of the HTTP client, which may be reading already.
    [Theory]
    [InlineData("GET", "")]
    [InlineData("HEAD", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "body")]
    public async Task A_long_head_goes_out_whole_on_new_and_kept_connections(string method, string body)
    {
        var value = new string('v', 20_000);
        await using var a = Start(async wire =>
        {
            while (true)
            {
                var head = await wire.ReadHeadAsync();
                if (HttpHead.Value(head, "Content-Length") is { } length)
                    await wire.ReadExactlyAsync(int.Parse(length, System.Globalization.CultureInfo.InvariantCulture));
                var isWhole = HttpHead.Value(head, "X-Long") == value;
                await wire.WriteAsync($"HTTP/1.1 {(isWhole ? "200 OK" : "400 Bad Request")}\r\nContent-Length: 2\r\n\r\n{(method == "HEAD" ? "" : "ok")}");
            }
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 10; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/") { Content = body.Length == 0 ? null : new StringContent(body) };
            request.Headers.Add("X-Long", value);
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(method == "HEAD" ? "" : "ok", await answer.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, a.Connections);
        Assert.Empty(proxy.Outcomes.Failures);
    }

    [Fact]
    public async Task A_request_that_was_sent_on_a_kept_connection_is_not_sent_again()
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(4);
            await wire.WriteAsync(Ok);
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(4);
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        using var first = await client.PostAsync("/", new StringContent("body"));
        using var second = await client.PostAsync("/", new StringContent("body"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadGateway), (first.StatusCode, second.StatusCode));
        Assert.Equal(1, a.Connections);
        Assert.Equal(["a+", "a-NoAnswer"], proxy.Outcomes.Seen);
    }

    private static void Trust(PoolOptions pool)
    {
        pool.HttpVersion = BackendHttpVersion.Http1;
        pool.Tls.DangerousAcceptAnyCertificate = true;
    }

    private TlsBackend Start(Func<TestKit.Wire, Task> script)
        => TlsBackend.Start((_, wire) => script(wire), certificate: isTls ? TestCertificate.Server : null);

    public sealed class OnIoUring() : StaleConnectionTests(Lane.Raw);

    public sealed class OnEpoll() : StaleConnectionTests(Lane.RawEpoll);

    public sealed class Inline() : StaleConnectionTests(Lane.RawInline);

    public sealed class Portable() : StaleConnectionTests(Lane.Portable);

    public sealed class Direct() : StaleConnectionTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : StaleConnectionTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : StaleConnectionTests(Lane.RawTls, isDirect: true);

    public sealed class DirectInTls() : StaleConnectionTests(Lane.Raw, isTls: true, isDirect: true);

    public sealed class InTls() : StaleConnectionTests(Lane.Raw, isTls: true);

    public sealed class InTlsPortable() : StaleConnectionTests(Lane.Portable, isTls: true);
}
