using System.Net;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Configuration;
using StickyWs.TestKit;
using static StickyWs.IntegrationTests.Proxying.Http2Backend;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class Http2BackendTests(Lane lane, bool isTls = false) : TransportedTest(lane)
{
    private const int NoError = 0;
    private const int InternalError = 2;
    private const int RefusedStream = 7;

    private X509Certificate2? Certificate => isTls ? TestCertificate.Server : null;

    public static TheoryData<string, int, bool> Refused()
    {
        var data = new TheoryData<string, int, bool>();
        foreach (var method in new[] { "GET", "POST", "PUT", "DELETE" })
        {
            foreach (var length in method == "GET" ? new[] { 0 } : [0, 10, 60_000, 200_000])
            {
                data.Add(method, length, true);
                data.Add(method, length, false);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_the_backend_did_not_process_is_sent_again(string method, int length, bool byGoAway)
    {
        var bodies = new TaskCompletionSource<string>();
        await using var a = new Http2Backend(
            async (connection, number) =>
            {
                var head = await connection.ReadRequestAsync();
                if (number == 0)
                {
                    if (!head.EndsStream) await connection.ReadAsync();
                    if (byGoAway) await connection.GoAwayAsync(0);
                    else await connection.ResetAsync(head.Stream, RefusedStream);
                    if (!byGoAway) head = await connection.ReadRequestAsync();
                    else await connection.ReadAsync();
                }

                if (byGoAway && number == 0) return;
                await connection.AllowAsync(0, 1_000_000);
                await connection.AllowAsync(head.Stream, 1_000_000);
                bodies.TrySetResult(await connection.ReadBodyAsync(head));
                await connection.AnswerAsync(head.Stream, 200, "ok");
                await connection.ReadAsync();
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var body = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i % 23))));
        using var request = new HttpRequestMessage(new HttpMethod(method), "/") { Content = length == 0 ? null : new StringContent(body) };
        using var answer = await client.SendAsync(request);
        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        Assert.Equal(body, await bodies.Task);
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_backend_that_says_goodbye_every_few_requests_costs_nobody_an_error(int each)
    {
        await using var a = new Http2Backend(
            async (connection, _) =>
            {
                HashSet<int> taken = [];
                for (var answered = 0; answered < each;)
                {
                    var frame = await connection.ReadAsync();
                    if (frame.Type == Frame.Headers && taken.Count < each) taken.Add(frame.Stream);
                    if (!frame.EndsStream || frame.Type is not (Frame.Headers or Frame.Data) || !taken.Contains(frame.Stream)) continue;
                    if (++answered == each) await connection.GoAwayAsync(taken.Max());
                    await connection.AnswerAsync(frame.Stream, 200, "ok");
                }

                while (true) await connection.ReadAsync(); // As servers do that say goodbye: the client closes (RFC 9113 section 6.8).
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var client = new HttpClient { BaseAddress = proxy.Http1 };
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            using var answer = i % 2 == 0 ? await client.GetAsync("/") : await client.PostAsync("/", new StringContent($"body {i}"));
            return await answer.Content.ReadAsStringAsync();
        }));
        Assert.All(answers, answer => Assert.Equal("ok", answer));
        Assert.Empty(proxy.Outcomes.Failures);
    }

    [Fact]
    public async Task What_the_backend_may_have_processed_is_not_sent_again()
    {
        await using var a = new Http2Backend(
            async (connection, _) =>
            {
                var head = await connection.ReadRequestAsync();
                await connection.ReadBodyAsync(head);
                await connection.GoAwayAsync(head.Stream);
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.PostAsync("/", new StringContent("body"));
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(1, a.Connections);
    }

    [Fact]
    public async Task A_backend_that_refuses_for_ever_is_asked_a_limited_number_of_times_and_blamed_for_nothing()
    {
        var refused = 0;
        await using var a = new Http2Backend(
            async (connection, _) =>
            {
                while (true)
                {
                    await connection.ResetAsync((await connection.ReadRequestAsync()).Stream, RefusedStream);
                    Interlocked.Increment(ref refused);
                }
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.InRange(refused, 2, 100);
        Assert.Empty(proxy.Outcomes.Seen);
    }

    [Theory]
    [InlineData(200, false, false)]
    [InlineData(413, false, false)]
    [InlineData(200, true, false)]
    [InlineData(413, true, false)]
    [InlineData(200, false, true)]
    [InlineData(413, true, true)]
    public async Task An_answer_that_is_whole_before_the_body_was_read_passes(int status, bool isLengthKnown, bool isClientHttp2)
    {
        await using var a = new Http2Backend(
            async (connection, _) =>
            {
                var head = await connection.ReadRequestAsync();
                await connection.AnswerAsync(head.Stream, status, "enough");
                await connection.ResetAsync(head.Stream, NoError);
                while (true) await connection.ReadAsync();
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var upload = new Upload(proxy, isClientHttp2);
        await upload.BeginAsync(isLengthKnown ? 10_000_000 : null);
        await upload.SendAsync(1000);
        Assert.Equal((status, "enough"), await upload.ReadAnswerAsync());
        await proxy.FinishAsync();
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_stream_that_is_reset_for_an_error_is_a_failure()
    {
        await using var a = new Http2Backend(
            async (connection, _) =>
            {
                await connection.ResetAsync((await connection.ReadRequestAsync()).Stream, InternalError);
                while (true) await connection.ReadAsync();
            },
            Certificate);
        await using var proxy = await StartAsync(Speak, a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.PostAsync("/", new StringContent("body"));
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Single(proxy.Outcomes.Failures);
    }

    private void Speak(PoolOptions pool)
    {
        pool.HttpVersion = BackendHttpVersion.Http2;
        pool.Tls.DangerousAcceptAnyCertificate = true;
    }

    public sealed class OnIoUring() : Http2BackendTests(Lane.Raw);

    public sealed class OnEpoll() : Http2BackendTests(Lane.RawEpoll);

    public sealed class Portable() : Http2BackendTests(Lane.Portable);

    public sealed class InTls() : Http2BackendTests(Lane.Raw, isTls: true);

    public sealed class InTlsPortable() : Http2BackendTests(Lane.Portable, isTls: true);
}
