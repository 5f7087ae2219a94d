using System.Net;
using System.Net.Sockets;
using System.Text;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Blame;

/// <summary>
/// Three clients do their worst, each from an address of its own, and a fourth notices nothing. For how long is set by
/// <c>STICKYWS_ATTACK_SECONDS</c>; else each does it a few dozen times.
/// </summary>
public sealed class AttackTests : BalancerTest
{
    private const int Attackers = 3;
    private const int Each = 40;
    private const int AtOnce = 4;
    private const string AllInTurn = "all of them in turn";

    private static readonly TimeSpan? Duration
        = Environment.GetEnvironmentVariable("STICKYWS_ATTACK_SECONDS") is { } seconds
            ? TimeSpan.FromSeconds(int.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)) : null;

    public static TheoryData<Lane, string, string> Attacks
    {
        get
        {
            var data = new TheoryData<Lane, string, string>();
            foreach (var attack in Heads.Keys)
            {
                data.Add(Lane.Raw, "Http", attack);
                foreach (var lane in (Lane[])[Lane.Raw, Lane.Portable, Lane.InsideTls])
                {
                    data.Add(lane, "none", attack);
                    data.Add(lane, "Tcp", attack);
                }
            }

            foreach (var lane in (Lane[])[Lane.Raw, Lane.InsideTls, Lane.RawTls])
            {
                data.Add(lane, "none", AllInTurn);
                data.Add(lane, "Tcp", AllInTurn);
            }

            return data;
        }
    }

    private static Dictionary<string, string> Heads { get; } = new()
    {
        ["handshake that is destroyed"] = HttpHead.Handshake("/destroy"),
        ["handshake that is closed"] = HttpHead.Handshake("/close"),
        ["handshake that hangs"] = HttpHead.Handshake("/hang"),
        ["handshake with a garbled answer"] = HttpHead.Handshake("/garbage"),
        ["handshake with a false 101"] = HttpHead.Handshake("/false101"),
        ["request that is destroyed"] = "GET /destroy HTTP/1.1\r\nHost: h\r\n\r\n",
        ["request that is closed"] = "GET /close HTTP/1.1\r\nHost: h\r\n\r\n",
        ["request that hangs"] = "GET /hang HTTP/1.1\r\nHost: h\r\n\r\n",
        ["request with a garbled answer"] = "GET /garbage HTTP/1.1\r\nHost: h\r\n\r\n",
        ["request whose answer breaks off"] = "GET /half HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        ["request with a foreign 101"] = "GET /false101 HTTP/1.1\r\nHost: h\r\n\r\n",
        ["request of gRPC"] = "POST /grpc HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nContent-Length: 5\r\nConnection: close\r\n\r\n\0\0\0\0\0",
        ["request of gRPC without a body"] = "GET /grpc HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\nConnection: close\r\n\r\n",
        ["upload that is refused early"] = "POST /destroy HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + new string('x', 300_000),
        ["upload that is closed early"] = "POST /close HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + new string('x', 0x10000)
            + "\r\n0\r\n\r\n",
        ["upload that is not finished"] = "POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\nx",
        ["request that is given up"] = "GET /hang HTTP/1.1\r\nHost: h\r\n\r\n",
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_fourth_client_is_served(Lane lane, string probe, string attack)
    {
        var (a, b) = (Owned(HonestBackend.Start()), Owned(HonestBackend.Start()));
        var patience = attack == AllInTurn || attack.EndsWith("hangs", StringComparison.Ordinal) ? "00:00:04" : "00:00:30"; // The fourth client's, too.
        var settings = Pool(a.Address, b.Address).With("Pools:chat:Timeouts:Handshake", patience).With("Pools:chat:Timeouts:Activity", patience);
        if (probe != "none") settings.With($"Pools:chat:Health:{probe}:Interval", "00:00:01");
        if (probe == "Http") settings.With("Pools:chat:Health:Http:Path", "/health");
        var balancer = Start(lane, settings);
        using var over = new CancellationTokenSource();
        var served = ServeAsync(balancer, over.Token);

        await Task.WhenAll(Enumerable.Range(0, Attackers * AtOnce)
            .Select(i => AttackAsync(balancer, IPAddress.Parse($"127.0.0.{2 + (i % Attackers)}"), attack)));
        await over.CancelAsync();

        Assert.True(await served > 0);
        var outs = balancer.Log.Lines.Where(line => line.Event == "BackendStateChanged"
            && line.Text.Contains("is Unhealthy", StringComparison.Ordinal)).Select(line => line.Text).ToArray();
        if (probe != "none") Assert.Empty(outs);
        Assert.Contains(balancer.Registry.Current.Pools.Single().Backends, backend => backend.State != BackendState.Unhealthy);
    }

    // Requests and handshakes in turn; every one of them must be good.
    private static async Task<int> ServeAsync(Balancer balancer, CancellationToken over)
    {
        var served = 0;
        while (!over.IsCancellationRequested || served == 0)
        {
            await using (var client = await ConnectFromAsync(balancer, IPAddress.Parse("127.0.0.9")))
            {
                for (var i = 0; i < 2; i++)
                {
                    var answer = await client.AskAsync("GET /ok HTTP/1.1\r\nHost: h\r\n\r\n");
                    Assert.Equal(200, HttpHead.Status(answer));
                    Assert.Equal("ok", await client.ReadBodyAsync(answer));
                }
            }

            await using (var client = await ConnectFromAsync(balancer, IPAddress.Parse("127.0.0.9")))
            {
                Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/ws"))));
                await client.WriteAsync("ping");
                Assert.Equal("ping", await client.ReadTextAsync(4));
            }

            served++;
        }

        return served;
    }

    private static async Task AttackAsync(Balancer balancer, IPAddress address, string attack)
    {
        var end = Duration is { } duration ? DateTime.UtcNow + duration : DateTime.MaxValue;
        var names = attack == AllInTurn ? [.. Heads.Keys] : new[] { attack };
        var times = Duration is not null ? int.MaxValue : attack == AllInTurn ? names.Length : attack.EndsWith("hangs", StringComparison.Ordinal)
            ? 2 : Each / AtOnce;
        var buffer = new byte[4096];
        for (var i = 0; i < times && DateTime.UtcNow < end; i++)
        {
            var name = names[i % names.Length];
            await using var client = await ConnectFromAsync(balancer, address);
            try
            {
                await client.WriteAsync(Encoding.Latin1.GetBytes(Heads[name]));
                if (name is "upload that is not finished" or "request that is given up") continue;
                await client.ReadAsync(buffer);
            }
            catch (IOException)
            {
                // It was told so.
            }
        }
    }

    private static Task<RawClient> ConnectFromAsync(Balancer balancer, IPAddress address)
        => RawClient.ConnectAsync(balancer.Address, socket => socket.Bind(new IPEndPoint(address.MapToIPv6(), 0)));
}
