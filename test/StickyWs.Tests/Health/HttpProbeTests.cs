using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class HttpProbeTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task Probe_Good_SendsWhatIsConfigured()
    {
        await using var backend = RawBackend.Answering(_ => Ok);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http =>
        {
            (http.Method, http.Path, http.Host) = ("OPTIONS", "/a/../b%2Fc?d=%20e", "health.test");
            http.Headers["X-Probe"] = "1";
            http.Headers["Content-Type"] = "text/plain";
        }));

        Assert.Null(cause);
        var head = Assert.Single(backend.Heads);
        Assert.Equal("OPTIONS /a/../b%2Fc?d=%20e HTTP/1.1", HttpHead.FirstLine(head));
        Assert.Equal(["health.test"], HttpHead.Values(head, "Host"));
        Assert.Equal(["1"], HttpHead.Values(head, "X-Probe"));
        Assert.Equal(["text/plain"], HttpHead.Values(head, "Content-Type"));
    }

    [Fact]
    public async Task Probe_NothingConfigured_AsksForTheRootOfTheBackend()
    {
        await using var backend = RawBackend.Answering(_ => Ok);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));
        var head = Assert.Single(backend.Heads);
        Assert.Equal("GET / HTTP/1.1", HttpHead.FirstLine(head));
        Assert.Equal($"127.0.0.1:{backend.Port}", HttpHead.Value(head, "Host"));
    }

    [Fact]
    public async Task Probe_Twice_ConnectsTwice()
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            while (true)
            {
                await self.TakeHeadAsync(wire);
                await wire.WriteAsync(Ok);
            }
        });

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));
        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));

        Assert.Equal(2, backend.Connections);
    }

    [Theory]
    [InlineData(503, "200-299", "status 503, expected 200-299")]
    [InlineData(200, "204,301", "status 200, expected 204,301")]
    [InlineData(301, "204,301", null)]
    [InlineData(302, "200-299", "status 302, expected 200-299")]
    public async Task Probe_Status_MustBeAnExpectedOne(int status, string expected, string? cause)
    {
        await using var backend = RawBackend.Answering(_ => $"HTTP/1.1 {status} X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(cause, await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedStatus = expected)));
        Assert.Single(backend.Heads);
    }

    [Fact]
    public async Task Probe_BodyWithTheText_IsGoodWhereverItIsSplit()
    {
        const string body = "status: ready";
        for (var split = 0; split <= body.Length; split++)
        {
            var place = split;
            await using var backend = RawBackend.Start(async (self, wire) =>
            {
                await self.TakeHeadAsync(wire);
                await wire.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body[..place]}");
                await wire.WriteAsync(body[place..]);
            });

            Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedBody = "ready")));
        }
    }

    [Fact]
    public async Task Probe_BodyOneByteAtATime_IsGood()
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await self.TakeHeadAsync(wire);
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            foreach (var letter in "rereready") await wire.WriteAsync($"1\r\n{letter}\r\n");
        });

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedBody = "ready")));
    }

    [Fact]
    public async Task Probe_BodyWithoutTheText_Fails()
    {
        await using var backend = RawBackend.Answering(_ => Ok);

        Assert.Equal(
            "the expected text is not in the 2 bytes of the body",
            await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedBody = "OK")));
    }

    [Theory]
    [InlineData(64 * 1024, true)]
    [InlineData((64 * 1024) + 1, false)]
    public async Task Probe_LongBody_LooksAtTheFirst64KiB(int end, bool isGood)
    {
        await using var backend = RawBackend.Answering(
            _ => $"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"ready".PadLeft(end)}{new string(' ', 100_000 - end)}");

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedBody = "ready"));

        Assert.Equal(isGood ? null : "the expected text is not in the first 65536 bytes of the body", cause);
    }

    [Fact]
    public async Task Probe_Refused_SaysSo() => Assert.Equal("connection refused", await ProbeRun.RefusedAsync(pool => Http(pool)));

    [Fact]
    public async Task Probe_ClosedBeforeTheAnswer_SaysSo()
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\n");

        Assert.Equal("connection closed before the answer was complete", await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));
    }

    [Fact]
    public async Task Probe_ClosedWithinTheBody_SaysSo()
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");

        Assert.Equal(
            "connection closed before the answer was complete",
            await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http => http.ExpectedBody = "x")));
    }

    [Theory]
    [InlineData("HTTP/1.1 EVIL\u001b[31m\r\n\r\n", "the answer is not HTTP")]
    [InlineData("SSH-2.0-evil\r\n\r\n", "the answer is not HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\nevil header\r\n\r\n", "the answer is not HTTP")]
    public async Task Probe_Nonsense_IsNotQuoted(string answer, string cause)
    {
        await using var backend = RawBackend.Answering(_ => answer);

        Assert.Equal(cause, await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));
    }

    [Fact]
    public async Task Probe_HeadTooLong_SaysSo()
    {
        await using var backend = RawBackend.Answering(_ => $"HTTP/1.1 200 OK\r\nX: {new string('x', 40_000)}\r\n\r\n");

        Assert.Equal("the answer's head is too long", await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)));
    }

    [Fact]
    public async Task Probe_Silent_TimesOut()
    {
        var reached = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await self.TakeHeadAsync(wire);
            reached.SetResult();
        });

        Assert.Equal("no answer within 2 s", await ProbeRun.SilentAsync(backend.Address, reached.Task, pool => Http(pool)));
    }

    // The balancer cannot ask, which says nothing of the backend.
    [Theory]
    [InlineData("http", BackendHttpVersion.Auto)]
    [InlineData("https", BackendHttpVersion.Auto)]
    [InlineData("http", BackendHttpVersion.Http2)]
    public async Task Probe_NameServersAreSilent_EndsWithTheTimeoutAndSaysSo(string scheme, BackendHttpVersion version)
    {
        var result = await ProbeRun.UnresolvedAsync($"{scheme}://backend.test", pool => Http(pool, _ => pool.HttpVersion = version));

        Assert.Equal("host name not resolved, the name server does not answer", result.Failure);
        Assert.True(result.IsVoid);
    }

    [Theory]
    [InlineData(BackendHttpVersion.Auto)]
    [InlineData(BackendHttpVersion.Http1)]
    [InlineData(BackendHttpVersion.Http2)]
    public async Task Probe_RealServerOverTls_IsGoodInEveryVersion(BackendHttpVersion version)
    {
        var authority = TestCertificate.WriteAuthorityFile();
        await using var backend = await EchoBackend.StartAsync("ready", TestCertificate.Server);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http =>
        {
            (pool.HttpVersion, pool.Tls.CaCertificateFile) = (version, authority);
            http.ExpectedBody = "ready";
        }));
        File.Delete(authority);

        Assert.Null(cause);
    }

    [Theory]
    [InlineData("client.test", null, true)]
    [InlineData(null, "other.test", false)]
    public async Task Probe_OverTls_ChecksTheBackendsNameAndNotTheHost(string? host, string? serverName, bool isGood)
    {
        var authority = TestCertificate.WriteAuthorityFile();
        await using var backend = await EchoBackend.StartAsync("ready", TestCertificate.Server);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => Http(pool, http =>
        {
            (pool.Tls.CaCertificateFile, pool.Tls.ServerName) = (authority, serverName);
            http.Host = host;
        }));
        File.Delete(authority);

        Assert.Equal(isGood, cause is null);
        if (cause is not null) Assert.StartsWith("TLS: ", cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Probe_UnknownAuthority_Fails()
    {
        await using var backend = await EchoBackend.StartAsync("ready", TestCertificate.Server);

        Assert.StartsWith("TLS: ", await ProbeRun.OnceAsync(backend.Address, pool => Http(pool)), StringComparison.Ordinal);
    }

    private static void Http(PoolOptions pool, Action<HttpProbeOptions>? change = null)
    {
        pool.Health.Http = new HttpProbeOptions();
        change?.Invoke(pool.Health.Http);
    }
}
