using StickyWs.Configuration;
using StickyWs.TestKit;
using TlsBackend = StickyWs.TestKit.RawBackend;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Answers that come while the request is still on its way.</summary>
public abstract class EarlyAnswerTests(Lane lane, bool isTls = false, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const int Large = 50_000_000;

    public static TheoryData<bool, bool> Clients() => new()
    {
        { false, true },
        { false, false },
        { true, true },
        { true, false },
    };

    public static TheoryData<bool, bool, bool, int> Ends()
    {
        var data = new TheoryData<bool, bool, bool, int>();
        foreach (var (isHttp2, isLengthKnown) in new[] { (false, true), (false, false), (true, true), (true, false) })
        {
            data.Add(isHttp2, isLengthKnown, false, 6);
            data.Add(isHttp2, isLengthKnown, false, 20_000);
            data.Add(isHttp2, isLengthKnown, true, 6);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_refusal_passes_when_the_backend_closes_while_the_client_sends(bool isHttp2, bool isLengthKnown)
    {
        await using var a = StartRefusing();
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        var sending = isHttp2 ? upload.SendAsync(1000) : upload.SendOnAsync(20, 100_000);
        Assert.Equal((413, "enough"), await upload.ReadAnswerAsync());
        upload.Dispose();
        await sending;
        await proxy.FinishAsync();
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    // Whatever it says: nobody is there any more who would take the rest. Also where the end is a break, since bytes of the client's are unread.
    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_good_answer_passes_when_the_backend_closes_behind_it_while_the_client_pauses(bool isHttp2, bool isLengthKnown, bool isBreak, int size)
    {
        var body = new string('x', size);
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            if (isBreak) await wire.ReadAsync(new byte[1000]);
            await wire.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{body}");
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        if (isBreak) await upload.SendAsync(5000);
        Assert.Equal((200, body), await upload.ReadAnswerAsync());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_backend_that_leaves_without_an_answer_while_the_client_pauses_is_a_502_at_once(bool isHttp2, bool isLengthKnown)
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(1000);
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        await upload.SendAsync(1000);
        Assert.Equal(502, (await upload.ReadAnswerAsync()).Status);
    }

    // A body of two parts, between which the answer comes: both arrive whole.
    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_good_answer_does_not_end_an_upload_that_its_backend_goes_on_reading(bool isHttp2, bool isLengthKnown)
    {
        var rest = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var answered = new SemaphoreSlim(0);
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nenough");
            answered.Release();
            await wire.ReadExactlyAsync(1000);
            rest.SetResult(1000);
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? 2000 : null);
        await upload.SendAsync(1000);
        await answered.WaitAsync(Wait.Token());
        await upload.SendAsync(1000);
        Assert.Equal(1000, await rest.Task.WaitAsync(Wait.Bound));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_refusal_passes_while_the_client_pauses_before_its_first_byte(bool isHttp2, bool isLengthKnown)
    {
        await using var a = StartRefusing();
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        Assert.Equal((413, "enough"), await upload.ReadAnswerAsync());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_refusal_passes_when_the_backend_breaks_the_connection_behind_it(bool isHttp2, bool isLengthKnown)
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadAsync(new byte[1000]);
            await wire.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough");
            await wire.DisposeAsync(); // With bytes of the client's unread: a break.
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        await upload.SendAsync(5000);
        Assert.Equal((413, "enough"), await upload.ReadAnswerAsync());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_refusal_passes_while_the_client_pauses_and_the_backend_neither_reads_nor_closes(bool isHttp2, bool isLengthKnown)
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.WriteAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 40");
            await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync("3 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2);
        await upload.BeginAsync(isLengthKnown ? Large : null);
        await upload.SendAsync(1000);
        Assert.Equal((403, "no"), await upload.ReadAnswerAsync());
        await proxy.FinishAsync();
        Assert.Equal(["a+"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_refusal_frees_a_client_whose_bytes_the_backend_does_not_read()
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync("HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 2\r\n\r\nno");
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2: false);
        await upload.BeginAsync(Large);
        var sending = upload.SendOnAsync(500, 100_000);
        Assert.Equal((507, "no"), await upload.ReadAnswerAsync());
        upload.Dispose();
        await sending;
    }

    [Fact]
    public async Task A_refusal_passes_after_the_backend_has_asked_for_the_body()
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
            await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\nConnection: close\r\n\r\nenough");
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2: false);
        await upload.BeginAsync(Large, "Expect: 100-continue\r\n");
        Assert.StartsWith("HTTP/1.1 100", await upload.ReadInterimAsync());
        await upload.SendAsync(1000);
        Assert.Equal((413, "enough"), await upload.ReadAnswerAsync());
    }

    [Fact]
    public async Task A_good_answer_passes_when_the_backend_breaks_the_connection_behind_it()
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nenough");
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2: false);
        await upload.BeginAsync(Large);
        var sending = upload.SendOnAsync(500, 100_000);
        Assert.Equal((200, "enough"), await upload.ReadAnswerAsync());
        upload.Dispose();
        await sending;
    }

    [Fact]
    public async Task The_connection_of_a_refused_body_serves_nobody_else()
    {
        await using var a = Start(async wire =>
        {
            var head = await wire.ReadHeadAsync();
            var isUpload = head.StartsWith("POST", StringComparison.Ordinal);
            if (isUpload) await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync($"HTTP/1.1 {(isUpload ? "413 Content Too Large" : "200 OK")}\r\nContent-Length: 2\r\n\r\nok");
            await wire.WaitForEndAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 3; i++)
        {
            using var upload = new Upload(proxy, isHttp2: false);
            await upload.BeginAsync(Large);
            await upload.SendAsync(1000);
            Assert.Equal((413, "ok"), await upload.ReadAnswerAsync());
        }

        Assert.Equal("ok", await client.GetStringAsync("/"));
        Assert.Equal(4, a.Connections);
        Assert.Equal(4, proxy.Outcomes.Seen.Count(seen => seen == "a+"));
    }

    [Fact]
    public async Task A_good_answer_that_comes_early_does_not_cut_the_body()
    {
        var all = new TaskCompletionSource<int>();
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.ReadExactlyAsync(1000);
            await wire.WriteAsync("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok");
            all.SetResult((await wire.ReadExactlyAsync(2_000_000)).Length);
            await wire.WaitForEndAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2: false);
        await upload.BeginAsync(2_001_000);
        await upload.SendAsync(1000);
        for (var i = 0; i < 20; i++) await upload.SendAsync(100_000);
        Assert.Equal(2_000_000, await all.Task);
        Assert.Equal((202, "ok"), await upload.ReadAnswerAsync());
    }

    [Fact]
    public async Task A_backend_that_closes_in_the_body_without_an_answer_is_502()
    {
        await using var a = Start(async wire =>
        {
            await wire.ReadHeadAsync();
            await wire.DisposeAsync();
        });
        await using var proxy = await StartAsync(Trust, a.Uri());
        using var upload = new Upload(proxy, isHttp2: false);
        await upload.BeginAsync(Large);
        var sending = upload.SendOnAsync(500, 100_000);
        Assert.Equal(502, (await upload.ReadAnswerAsync()).Status);
        upload.Dispose();
        await sending;
        Assert.Equal(["a-NoAnswer"], proxy.Outcomes.Seen);
    }

    private static void Trust(PoolOptions pool)
    {
        pool.HttpVersion = BackendHttpVersion.Http1;
        pool.Tls.DangerousAcceptAnyCertificate = true;
    }

    // Answers behind the head, and closes.
    private TlsBackend StartRefusing() => Start(async wire =>
    {
        await wire.ReadHeadAsync();
        await wire.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\nConnection: close\r\n\r\nenough");
        await wire.DisposeAsync();
    });

    private TlsBackend Start(Func<TestKit.Wire, Task> script)
        => TlsBackend.Start((_, wire) => script(wire), certificate: isTls ? TestCertificate.Server : null);

    public sealed class OnIoUring() : EarlyAnswerTests(Lane.Raw);

    public sealed class OnEpoll() : EarlyAnswerTests(Lane.RawEpoll);

    public sealed class Inline() : EarlyAnswerTests(Lane.RawInline);

    public sealed class Portable() : EarlyAnswerTests(Lane.Portable);

    public sealed class Direct() : EarlyAnswerTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : EarlyAnswerTests(Lane.RawEpoll, isDirect: true);

    public sealed class DirectOfHttpsClients() : EarlyAnswerTests(Lane.RawTls, isDirect: true);

    public sealed class DirectInTls() : EarlyAnswerTests(Lane.Raw, isTls: true, isDirect: true);

    public sealed class OfHttpsClients() : EarlyAnswerTests(Lane.RawTls);

    public sealed class OfHttpsClientsOnEpoll() : EarlyAnswerTests(Lane.RawTlsEpoll);

    public sealed class OfHttpsClientsByOpenSsl() : EarlyAnswerTests(Lane.RawTlsKept);

    public sealed class InTls() : EarlyAnswerTests(Lane.Raw, isTls: true);

    public sealed class InTlsPortable() : EarlyAnswerTests(Lane.Portable, isTls: true);
}
