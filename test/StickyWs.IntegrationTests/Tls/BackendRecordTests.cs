using System.Security.Authentication;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>What TLS allows a backend, and what it sends besides data.</summary>
public sealed class BackendRecordTests : RawTlsBackendTest
{
    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Such_a_tunnel_is_in_the_raw_lane(Lane lane)
    {
        var backend = StartPeers();
        var balancer = Start(lane, TrustingPool(Https(backend)));
        balancer.Log.Level = LogLevel.Debug;
        using var dials = balancer.Collect<double>("stickyws.dial.duration");
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        Assert.Equal("raw", Assert.Single(dials.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "BackendTlsInPortableLane");
    }

    [Fact]
    public async Task Without_the_option_it_is_in_the_portable_lane()
    {
        var backend = StartPeers();
        var balancer = Start(Lane.RawInline, TrustingPool(Https(backend)));
        using var dials = balancer.Collect<double>("stickyws.dial.duration");
        var client = await ConnectAsync(balancer, Lane.RawInline);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        Assert.Equal("portable", Assert.Single(dials.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Plain_backends_and_such_with_TLS_may_share_a_pool(Lane lane)
    {
        var certified = OwnedClient(await EchoBackend.StartAsync("b", TestCertificate.Server));
        var plain = OwnedClient(await EchoBackend.StartAsync("a"));
        var balancer = Start(lane, TrustingPool(plain.Address, certified.Address));
        for (var i = 0; i < 4; i++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }

        await Wait.UntilAsync(() => plain.WebSockets == 2 && certified.WebSockets == 2);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Session_tickets_of_any_number_are_passed_over(Lane lane)
    {
        foreach (var tickets in (int[])[0, 1, 2, 20])
        {
            var (_, client, server) = await OpenAsync(lane, Settings() with { Tickets = tickets });

            await ExchangeAsync(client, server, 1000);
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task The_backend_may_change_its_keys_as_often_as_it_likes(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane, Settings() with { RecordsPerKey = 1 });

        for (var i = 0; i < 50; i++) await ExchangeAsync(client, server, 40_000);

        await client.FinishAsync();
        Assert.Empty(await server.ReadToEndAsync());
        await server.Wire.WriteAsync(server.CloseNotify());
        await EndsWithAsync(balancer, "ClientClosed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Either_version_of_TLS_serves(Lane lane)
    {
        foreach (var protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            foreach (var keepsSsl in (bool[])[false, true])
            {
                var (_, client, server) = await OpenAsync(lane, Settings() with { Protocols = protocol, KeepsSsl = keepsSsl });

                await ExchangeAsync(client, server, 200_000);
                Assert.Equal(protocol, server.End.TakeFacts()!.Protocol);
            }
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Records_may_come_byte_by_byte(Lane lane)
    {
        var (_, client, server) = await OpenAsync(lane);

        foreach (var each in server.Seal("slowly"u8)) await server.Wire.WriteAsync(new[] { each });

        Assert.Equal("slowly", await client.ReadTextAsync(6));
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task The_backend_is_asked_for_its_name_and_for_HTTP_1_1(Lane lane)
    {
        var backend = StartPeers(Settings() with { ApplicationProtocols = [System.Net.Security.SslApplicationProtocol.Http11] });
        var names = new List<string?>();
        var context = Settings() with { Select = name => { names.Add(name); return null; } };
        var named = StartPeers(context);
        var balancer = Start(lane, TrustingPool(Https(backend), $"https://localhost:{named.Port}"));
        for (var i = 0; i < 2; i++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }

        Assert.Equal(["localhost"], names);
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_declined_handshake_is_passed_on_from_such_a_backend(Lane lane)
    {
        var body = new string('x', 500_000);
        var backend = StartPeers(answer: (peer, _) =>
            peer.Seal(System.Text.Encoding.Latin1.GetBytes($"HTTP/1.1 403 Forbidden\r\nContent-Length: {body.Length}\r\n\r\n{body}")));
        var balancer = Start(lane, TrustingPool(Https(backend)));
        var client = await ConnectAsync(balancer, lane);

        var head = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(403, HttpHead.Status(head));
        Assert.Equal(body, await client.ReadBodyAsync(head));
    }

    private static async Task ExchangeAsync(RawClient client, TlsPeer server, int size)
    {
        var (up, down) = (RandomNumberGenerator.GetBytes(size), RandomNumberGenerator.GetBytes(size));
        await client.WriteAsync(up);
        Assert.Equal(up, await server.ReadExactlyAsync(size));
        var sending = server.SendAsync(down);
        Assert.Equal(down, await client.ReadExactlyAsync(size));
        await sending;
    }
}
