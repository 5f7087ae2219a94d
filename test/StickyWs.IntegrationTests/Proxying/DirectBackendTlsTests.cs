using System.Net;
using System.Text;
using StickyWs.Configuration;
using StickyWs.IntegrationTests.Tls;
using StickyWs.TestKit;
using StickyWs.Tls;
using TlsBackend = StickyWs.TestKit.RawBackend;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Direct pools with https backends, whose records the test has in hand.</summary>
public abstract class DirectBackendTlsTests(Lane lane)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string ToTheEnd = "HTTP/1.1 200 OK\r\n\r\nall";

    [Fact]
    public async Task Later_handshakes_are_resumed_and_connections_kept()
    {
        var resumed = new List<bool>();
        await using var backend = Start(async peer =>
        {
            await peer.ReadHeadAsync();
            lock (resumed) resumed.Add(peer.End.TakeFacts()!.IsResumed);
            await peer.SendAsync(Encoding.Latin1.GetBytes(Ok));
            await peer.ReadHeadAsync();
            await peer.SendAsync(Encoding.Latin1.GetBytes(Ok.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal)));
            await peer.ReadToEndAsync(); // A close_notify, and a FIN.
        });
        await using var proxy = await StartAsync(backend);
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 6; i++) Assert.Equal("ok", await client.GetStringAsync("/"));
        Assert.Equal(3, backend.Connections);
        Assert.Equal([false, true, true], resumed);
        Assert.Equal(6, proxy.Outcomes.Seen.Count(outcome => outcome == "a+"));
    }

    // RFC 9112 section 9.8: an answer whose end is the connection's is whole only with a close_notify.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_up_to_the_end_is_whole_only_with_a_close_notify(bool isClosed)
    {
        await using var backend = Start(async peer =>
        {
            await peer.ReadHeadAsync();
            await peer.SendAsync(Encoding.Latin1.GetBytes(ToTheEnd));
            if (isClosed) await peer.Wire.WriteAsync(peer.CloseNotify());
            await peer.Wire.FinishAsync();
            await peer.Wire.WaitForEndAsync();
        });
        await using var proxy = await StartAsync(backend);
        using var client = ProxyHost.Client(proxy.Http1);
        if (isClosed) Assert.Equal("all", await client.GetStringAsync("/"));
        else await Assert.ThrowsAnyAsync<Exception>(() => client.GetStringAsync("/"));
        await proxy.FinishAsync();
        Assert.Equal(isClosed ? ["a+"] : ["a+", "a-BrokenAnswer"], proxy.Outcomes.Seen);
    }

    [Fact]
    public async Task A_record_that_cannot_be_opened_is_a_bad_answer_and_gets_an_alert()
    {
        var alert = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = Start(async peer =>
        {
            await peer.ReadHeadAsync();
            var record = peer.Seal(Encoding.Latin1.GetBytes(Ok));
            record[^1] ^= 1;
            await peer.Wire.WriteAsync(record);
            alert.SetResult(await peer.ReadAlertAsync());
        });
        await using var proxy = await StartAsync(backend);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("bad_record_mac", await alert.Task.WaitAsync(Wait.Bound), StringComparison.Ordinal);
        Assert.Equal(["a-BadAnswer"], proxy.Outcomes.Seen);
    }

    // Nor does part of one, which ends only behind the next request. It comes with the good answer.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_nobody_asked_for_reaches_nobody(bool isCut)
    {
        var connections = 0;
        await using var backend = Start(async peer =>
        {
            var isFirst = Interlocked.Increment(ref connections) == 1;
            await peer.ReadHeadAsync();
            var good = peer.Seal(Encoding.Latin1.GetBytes(Ok));
            if (!isFirst)
            {
                await peer.Wire.WriteAsync(good);
                return;
            }

            var forged = peer.Seal(Encoding.Latin1.GetBytes(Ok.Replace("\r\n\r\nok", "\r\n\r\nno", StringComparison.Ordinal)));
            var cut = isCut ? 20 : forged.Length;
            byte[] both = [.. good, .. forged[..cut]];
            await peer.Wire.WriteAsync(both);
            if (isCut) await peer.ReadHeadAsync(); // It does not come.
            await peer.Wire.WriteAsync(forged.AsMemory(cut));
        });
        await using var proxy = await StartAsync(backend);
        using var client = ProxyHost.Client(proxy.Http1);
        for (var i = 0; i < 2; i++) Assert.Equal("ok", await client.GetStringAsync("/"));
        Assert.Equal(2, backend.Connections);
    }

    // Also without a FIN, and before the next request.
    [Fact]
    public async Task A_close_notify_ends_an_idle_connection()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = Start(async peer =>
        {
            await peer.ReadHeadAsync();
            byte[] both = [.. peer.Seal(Encoding.Latin1.GetBytes(Ok)), .. peer.CloseNotify()];
            await peer.Wire.WriteAsync(both);
            await peer.Wire.WaitForEndAsync();
            ended.TrySetResult();
        });
        await using var proxy = await StartAsync(backend);
        using var client = ProxyHost.Client(proxy.Http1);
        Assert.Equal("ok", await client.GetStringAsync("/"));
        await ended.Task.WaitAsync(Wait.Bound);
        Assert.Equal("ok", await client.GetStringAsync("/"));
        Assert.Equal(["a+", "a+"], proxy.Outcomes.Seen);
        Assert.Equal(2, backend.Connections);
    }

    [Fact]
    public async Task A_backend_that_is_not_trusted_is_502_and_blamed()
    {
        await using var backend = Start(async peer => await peer.ReadHeadAsync());
        await using var proxy = await StartAsync(backend, isTrusted: false);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(["a-TlsFailed"], proxy.Outcomes.Seen);
    }

    private static TlsBackend Start(Func<TlsPeer, Task> script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        var context = TlsServerContext.Create(new TlsServerSettings { Certificate = TestCertificate.Server });
        return TlsBackend.Start(async (_, wire) =>
        {
            using var peer = new TlsPeer(wire, context);
            await script(peer);
        });
    }

    private Task<ProxyHost> StartAsync(TlsBackend backend, bool isTrusted = true) => ProxyHost.StartAsync(
        lane,
        (_, pool) =>
        {
            pool.Http = HttpMode.Direct;
            pool.Tls.DangerousAcceptAnyCertificate = isTrusted;
        },
        _ => { },
        new Uri($"https://127.0.0.1:{backend.Port}"));

    public sealed class OnIoUring() : DirectBackendTlsTests(Lane.Raw);

    public sealed class OnEpoll() : DirectBackendTlsTests(Lane.RawEpoll);

    public sealed class OfHttpsClients() : DirectBackendTlsTests(Lane.RawTls);
}
