using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

/// <summary>Whatever way exchanges of the direct lane end, by the thousand, the process keeps no descriptor of them, and no secret of their TLS.</summary>
[Collection(nameof(Alone))]
public sealed class DirectDescriptorTests
{
    private const int Each = 60;
    private const int Abreast = 16;
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly string[] Ways =
    [
        "/kept", "/pipelined", "/closes", "/left-early", "/left", "/left-body", "/client-fin", "/flood", "/backend-rst", "/backend-fin", "/nonsense", "/gone",
        "/refused/dead", "/handed-on", "/tunnel",
    ];

    [Theory]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Raw, true)]
    [InlineData(Lane.RawTls, true)]
    [InlineData(Lane.RawTlsEpoll, false)]
    [InlineData(Lane.RawTlsKept, true)]
    public async Task After_thousands_of_exchanges_that_ended_in_every_way_no_descriptor_and_no_secret_is_left(Lane lane, bool isTlsBackend)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows a process its descriptors.");
        await Leaks.AssertNoneAsync(each => RunAsync(lane, isTlsBackend, each), Each);
    }

    private static async Task RunAsync(Lane lane, bool isTlsBackend, int each)
    {
        await using var backend = RawBackend.Start(AnswerAsync, certificate: isTlsBackend ? TestCertificate.Server : null);
        await using var balancer = Balancer.Start(lane, Settings(backend));
        using var requests = balancer.Collect<long>("stickyws.requests");
        await EndInEveryWayAsync(balancer, each: 2);
        await Leaks.AssertNoneAsync(balancer, () => EndInEveryWayAsync(balancer, each));

        Assert.True(requests.GetMeasurementSnapshot().Count > each * Ways.Length / 2); // Clients that were gone before their request was read made none.
        var open = await Task.WhenAll(Enumerable.Range(0, each).Select(_ => AskAsync(balancer, "/silent")));
        await balancer.StopAsync();
        foreach (var client in open)
        {
            await client.WaitForEndAsync();
            await client.DisposeAsync();
        }

        Assert.Null(backend.ScriptFailure);
    }

    private static LiveSettings Settings(RawBackend backend) => new LiveSettings()
        .WithPool("chat", backend.Address).With("Pools:chat:Health:Passive:Enabled", "false").With("Pools:chat:Tls:DangerousAcceptAnyCertificate", "true")
            .With("Pools:chat:Http", "Direct").With("Pools:chat:Connections:IdleTimeout", "00:00:01")
        .WithPool("refused", "http://127.0.0.1:1").With("Pools:refused:Health:Passive:Enabled", "false").With("Pools:refused:Match:PathPrefixes:0", "/refused")
            .With("Pools:refused:Http", "Direct");

    private static async Task EndInEveryWayAsync(Balancer balancer, int each)
        => await Parallel.ForAsync(0, each * Ways.Length, new ParallelOptions { MaxDegreeOfParallelism = Abreast },
            async (i, _) => await EndAsync(balancer, Ways[i % Ways.Length]));

    private static string Get(string way) => $"GET {way} HTTP/1.1\r\nHost: example.test\r\n\r\n";

    private static async Task<RawClient> AskAsync(Balancer balancer, string way)
    {
        var client = await RawClient.ConnectAsync(balancer.Address);
        await client.WriteAsync(Get(way));
        return client;
    }

    private static async Task EndAsync(Balancer balancer, string way)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        switch (way)
        {
            case "/pipelined":
                await client.WriteAsync(string.Concat(Enumerable.Repeat(Get("/kept"), 3)));
                for (var i = 0; i < 3; i++) await ReadAsync(client, 200);
                break;
            case "/left-early":
                await client.WriteAsync(Get("/kept")[..30]);
                client.Reset();
                break;
            case "/left":
                await client.WriteAsync(Get("/silent"));
                client.Reset();
                break;
            case "/left-body":
                await client.WriteAsync("POST /silent HTTP/1.1\r\nHost: example.test\r\nContent-Length: 100\r\n\r\n" + new string('x', 50));
                client.Reset();
                break;
            case "/client-fin":
                await client.WriteAsync(Get("/silent"));
                await client.FinishAsync();
                await client.WaitForEndAsync();
                break;
            case "/flood":
                Assert.Equal(200, HttpHead.Status(await client.AskAsync(Get("/flood"))));
                client.Reset();
                break;
            case "/backend-rst" or "/backend-fin":
                await client.WriteAsync(Get(way));
                await client.WaitForEndAsync();
                break;
            case "/handed-on":
                await client.WriteAsync("GET /kept HTTP/1.0\r\nHost: example.test\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 200", await client.ReadTextToEndAsync(), StringComparison.Ordinal);
                break;
            case "/tunnel":
                await client.WriteAsync(Get("/kept"));
                await ReadAsync(client, 200);
                Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/tunnel"))));
                client.Reset();
                break;
            default:
                await client.WriteAsync(Get(way));
                await ReadAsync(client, way is "/kept" or "/closes" ? 200 : 502);
                break;
        }
    }

    private static async Task ReadAsync(RawClient client, int status)
    {
        var head = await client.ReadHeadAsync();
        Assert.Equal(status, HttpHead.Status(head));
        await client.ReadBodyAsync(head);
    }

    private static async Task AnswerAsync(RawBackend backend, Wire wire)
    {
        await using var own = wire;
        while (true)
        {
            var head = await wire.ReadHeadAsync();
            switch (HttpHead.FirstLine(head).Split(' ')[1])
            {
                case "/kept":
                    await wire.WriteAsync(Ok);
                    break;
                case "/closes":
                    await wire.WriteAsync(Ok.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
                    return;
                case "/flood":
                    await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
                    for (var sent = 0; sent < 100_000_000; sent += 100_000) await wire.WriteAsync(new byte[100_000]); // Until the client's reset comes.
                    return;
                case "/backend-rst":
                    await wire.WriteAsync(Ok[..^1]);
                    wire.Reset();
                    return;
                case "/backend-fin":
                    await wire.WriteAsync(Ok[..^1]);
                    return;
                case "/nonsense":
                    await wire.WriteAsync("nonsense\r\n\r\n");
                    return;
                case "/gone":
                    return;
                case "/tunnel":
                    await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                    await wire.WaitForEndAsync();
                    return;
                default:
                    await wire.WaitForEndAsync(); // Silent.
                    return;
            }
        }
    }
}
