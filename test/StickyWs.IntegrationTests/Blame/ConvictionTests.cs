using System.Net;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Blame;

/// <summary>A backend that really is ill is out within what the documents promise, and back as soon as it is well.</summary>
public sealed class ConvictionTests : BalancerTest
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    public static TheoryData<Lane, bool> LanesAndHalves
        => new MatrixTheoryData<Lane, bool>([Lane.Raw, Lane.Portable, Lane.InsideTls, Lane.RawTls], [false, true]);

    public static TheoryData<Lane, bool, string> Illnesses
        => new MatrixTheoryData<Lane, bool, string>([Lane.Raw, Lane.InsideTls, Lane.RawTls], [false, true],
            ["closes", "is garbled", "hangs", "hangs past the time of a request"]);

    // The probes of the pool come once an hour.
    [Theory]
    [MemberData(nameof(LanesAndHalves))]
    public async Task Probed_and_gone_it_is_out_by_the_probe_that_traffic_asked_for(Lane lane, bool handshakes)
    {
        var (gone, well) = (HonestBackend.Start(), Owned(HonestBackend.Start()));
        var balancer = Start(lane, Pool(gone.Address, well.Address).With("Pools:chat:Health:Tcp:Interval", "01:00:00"));
        await gone.DisposeAsync();

        await Wait.UntilAsync(async () =>
        {
            Assert.InRange(await AskAsync(balancer, handshakes), 101, 200);
            return StateOf(balancer, "a") == BackendState.Unhealthy;
        });

        Assert.Contains("traffic raised suspicion, and the probe agrees", CauseOf(balancer, "a"), StringComparison.Ordinal);
        Assert.Equal(BackendState.Healthy, StateOf(balancer, "b"));
    }

    [Theory]
    [MemberData(nameof(LanesAndHalves))]
    public async Task Unprobed_and_gone_it_is_out_and_the_balancer_itself_finds_it_back(Lane lane, bool handshakes)
    {
        var (gone, well) = (HonestBackend.Start(), Owned(HonestBackend.Start()));
        var balancer = Start(lane, Pool(gone.Address, well.Address));
        await gone.DisposeAsync();
        await Wait.UntilAsync(async () =>
        {
            Assert.InRange(await AskAsync(balancer, handshakes), 101, 200);
            return StateOf(balancer, "a") == BackendState.Unhealthy;
        });

        Owned(HonestBackend.Start(gone.Port));

        await Wait.UntilAsync(() => StateOf(balancer, "a") == BackendState.Healthy);
        Assert.EndsWith("traffic: a connect of the balancer's own was good", CauseOf(balancer, "a"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(LanesAndHalves))]
    public async Task The_only_backend_restarts_and_serves_the_next_request(Lane lane, bool handshakes)
    {
        var gone = HonestBackend.Start();
        var balancer = Start(lane, Pool(gone.Address).With("Pools:chat:Health:Passive:BreakDuration", "1.00:00:00"));
        await gone.DisposeAsync();
        for (var i = 0; i < 20; i++) Assert.Equal(502, await AskAsync(balancer, handshakes));

        Owned(HonestBackend.Start(gone.Port));

        Assert.InRange(await AskAsync(balancer, handshakes), 101, 200);
    }

    [Theory]
    [MemberData(nameof(Illnesses))]
    public async Task Unprobed_and_ill_to_everybody_it_is_out_until_it_is_well(Lane lane, bool handshakes, string illness)
    {
        var isIll = true;
        var ill = Owned(RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            if (!Volatile.Read(ref isIll))
                await wire.WriteAsync(handshakes ? HttpHead.SwitchingProtocols(head) : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            else if (illness == "is garbled") await wire.WriteAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n");
            if (Volatile.Read(ref isIll) && illness.StartsWith("hangs", StringComparison.Ordinal)) await wire.WaitForEndAsync();
            await wire.DisposeAsync();
        }));
        var well = Owned(HonestBackend.Start());
        var balancer = Start(lane, Pool(ill.Address, well.Address)
            .With("Pools:chat:Timeouts:Handshake", "00:00:00.5")
            .With(illness == "hangs past the time of a request" ? "Pools:chat:Timeouts:Request" : "Pools:chat:Timeouts:Activity", "00:00:00.5")
            .With("Pools:chat:Health:Passive:SamplingDuration", "00:00:00.5")
            .With("Pools:chat:Health:Passive:BreakDuration", "00:01:00") // So long that it is not in use again before the test has asked why it was out.
            .With("Pools:chat:Health:Passive:MinimumThroughput", "2"));
        await AskUntilAsync(balancer, handshakes, BackendState.Unhealthy);

        Assert.Contains("and 3 clients or more saw it fail", CauseOf(balancer, "a"), StringComparison.Ordinal);
        Volatile.Write(ref isIll, false);
        await AskUntilAsync(balancer, handshakes, BackendState.Healthy);
        Assert.EndsWith("traffic: it answered", CauseOf(balancer, "a"), StringComparison.Ordinal);
    }

    // Each of several clients, in turn, for as long as it takes.
    private static async Task AskUntilAsync(Balancer balancer, bool handshakes, BackendState state)
    {
        using var over = new CancellationTokenSource(Wait.Bound);
        await Task.WhenAll(Enumerable.Range(2, 5).Select(async client =>
        {
            while (StateOf(balancer, "a") != state)
            {
                over.Token.ThrowIfCancellationRequested();
                await AskAsync(balancer, handshakes, $"127.0.0.{client}");
            }
        }));
    }

    private static async Task<int> AskAsync(Balancer balancer, bool handshake, string from = "127.0.0.2")
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address, socket => socket.Bind(new IPEndPoint(IPAddress.Parse(from).MapToIPv6(), 0)));
        return HttpHead.Status(await client.AskAsync(handshake ? HttpHead.Handshake("/ws") : Request));
    }

    private static BackendState StateOf(Balancer balancer, string name)
        => balancer.Registry.Current.Pools.Single().Backends.Single(backend => backend.Name == name).State;

    private static string CauseOf(Balancer balancer, string name)
        => balancer.Log.Lines.Last(line => line.Event == "BackendStateChanged" && line.Text.Contains($"chat/{name} ", StringComparison.Ordinal)).Text;
}
