using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

/// <summary>Whatever way tunnels and handshakes end, by the thousand, the process keeps no descriptor of them, and no secret of their TLS.</summary>
[Collection(nameof(Alone))]
public sealed class DescriptorTests
{
    private const int Each = 300;
    private const int Abreast = 16;

    private static readonly string[] Ways =
        ["/client-fin", "/client-rst", "/backend-fin", "/backend-rst", "/declined", "/nonsense", "/gone", "/left", "/left-early", "/refused/dead"];

    [Theory]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Portable, false)]
    [InlineData(Lane.RawTls, false)]
    [InlineData(Lane.RawTlsEpoll, false)]
    [InlineData(Lane.RawTlsKept, true)]
    [InlineData(Lane.RawTls, true)]
    public async Task After_thousands_of_tunnels_that_ended_in_every_way_no_descriptor_and_no_secret_is_left(Lane lane, bool isTlsBackend)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows a process its descriptors.");
        await Leaks.AssertNoneAsync(each => RunAsync(lane, isTlsBackend, each), Each);
    }

    private static async Task RunAsync(Lane lane, bool isTlsBackend, int each)
    {
        await using var backend = RawBackend.Start(AnswerAsync, certificate: isTlsBackend ? TestCertificate.Server : null);
        await using var balancer = Balancer.Start(lane, Settings(backend));
        await EndInEveryWayAsync(balancer, each: 2);
        await Leaks.AssertNoneAsync(balancer, async () =>
        {
            await EndInEveryWayAsync(balancer, each);
            await Parallel.ForAsync(0, Math.Min(each, 50), new ParallelOptions { MaxDegreeOfParallelism = 50 },
                async (_, _) => await EndAsync(balancer, "/slow/silent"));
        });
        await StopAsync(balancer, each);
        Assert.Null(backend.ScriptFailure);
    }

    private static LiveSettings Settings(RawBackend backend) => new LiveSettings()
        .WithPool("chat", backend.Address).With("Pools:chat:Health:Passive:Enabled", "false").With("Pools:chat:Tls:DangerousAcceptAnyCertificate", "true")
        .WithPool("slow", backend.Address).With("Pools:slow:Health:Passive:Enabled", "false").With("Pools:slow:Match:PathPrefixes:0", "/slow")
            .With("Pools:slow:Timeouts:Handshake", "00:00:00.1").With("Pools:slow:Tls:DangerousAcceptAnyCertificate", "true")
        .WithPool("refused", "http://127.0.0.1:1").With("Pools:refused:Health:Passive:Enabled", "false").With("Pools:refused:Match:PathPrefixes:0", "/refused");

    private static async Task EndInEveryWayAsync(Balancer balancer, int each)
        => await Parallel.ForAsync(0, each * Ways.Length, new ParallelOptions { MaxDegreeOfParallelism = Abreast },
            async (i, _) => await EndAsync(balancer, Ways[i % Ways.Length]));

    private static async Task EndAsync(Balancer balancer, string way)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        if (way == "/left-early")
        {
            await client.WriteAsync(HttpHead.Handshake()[..40]);
            return;
        }

        await client.WriteAsync(HttpHead.Handshake(way));
        if (way == "/left")
        {
            client.Reset();
            return;
        }

        var status = HttpHead.Status(await client.ReadHeadAsync());
        Assert.Equal(way is "/declined" ? 403 : way is "/nonsense" or "/gone" or "/refused/dead" ? 502 : way is "/slow/silent" ? 504 : 101, status);
        if (way == "/backend-rst") await client.WriteAsync("x");
        if (way == "/client-fin") await client.FinishAsync();
        if (way == "/client-rst") client.Reset();
        else await client.WaitForEndAsync();
    }

    // Those that are open when the host stops, and the host itself.
    private static async Task StopAsync(Balancer balancer, int count)
    {
        var clients = new RawClient[count];
        for (var i = 0; i < count; i++)
        {
            clients[i] = await RawClient.ConnectAsync(balancer.Address);
            Assert.Equal(101, HttpHead.Status(await clients[i].AskAsync(HttpHead.Handshake("/client-rst"))));
        }

        await balancer.StopAsync();
        foreach (var client in clients)
        {
            await client.WaitForEndAsync();
            await client.DisposeAsync();
        }
    }

    private static async Task AnswerAsync(RawBackend backend, Wire wire)
    {
        await using var own = wire;
        var head = await wire.ReadHeadAsync();
        switch (HttpHead.FirstLine(head).Split(' ')[1])
        {
            case "/client-fin":
                await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                await wire.ReadToEndAsync();
                await wire.FinishAsync();
                break;
            case "/client-rst":
                await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                await wire.WaitForEndAsync();
                break;
            case "/backend-fin":
                await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                await wire.FinishAsync();
                await wire.WaitForEndAsync();
                break;
            case "/backend-rst":
                await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                await wire.ReadTextAsync(1); // The client has its 101, which a break could overtake.
                wire.Reset();
                break;
            case "/declined":
                await wire.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
                break;
            case "/nonsense":
                await wire.WriteAsync("nonsense\r\n\r\n");
                break;
            case "/gone":
                break;
            default:
                await wire.WaitForEndAsync(); // Silent.
                break;
        }
    }
}
