using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>How tunnels of the raw lane end whose backend speaks TLS.</summary>
public sealed class BackendEndingTests : RawTlsBackendTest
{
    private static readonly byte[] Early = [.. "with the 101"u8];

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_close_notify_is_a_half_close_and_so_is_the_clients_end(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await server.Wire.WriteAsync((byte[])[.. server.Seal("the last"u8), .. server.CloseNotify()]);
        Assert.Equal("the last", await client.ReadTextToEndAsync());
        if (lane.IsRawTls())
        {
            await client.FinishAsync();
            Assert.Empty(await server.ReadToEndAsync());
        }
        else
        {
            await client.WriteAsync("one more thing");
            await client.FinishAsync();
            Assert.Equal("one more thing", await server.ReadTextToEndAsync());
        }

        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_clients_end_is_a_close_notify_then_a_FIN(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await client.WriteAsync("the last");
        await client.FinishAsync();
        Assert.Equal("the last", await server.ReadTextToEndAsync());
        await server.SendAsync("and still"u8);
        await server.SendAsync(new byte[300_000]);
        await server.Wire.WriteAsync(server.CloseNotify());

        Assert.Equal("and still", await client.ReadTextAsync(9));
        Assert.Equal(300_000, (await client.ReadToEndAsync()).Length);
        await EndsWithAsync(balancer, "ClientClosed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_bare_FIN_is_told_apart(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await server.SendAsync("the last"u8);
        await server.Wire.FinishAsync();

        Assert.Equal("the last", await client.ReadTextToEndAsync());
        await client.FinishAsync();
        await EndsWithAsync(balancer, "BackendTruncated");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_FIN_within_a_record_delivers_nothing_of_it(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await server.SendAsync("whole"u8);
        await server.Wire.WriteAsync(server.Seal("cut"u8).AsMemory()[..^1]);
        await server.Wire.FinishAsync();

        Assert.Equal("whole", await client.ReadTextToEndAsync());
        await client.FinishAsync();
        await EndsWithAsync(balancer, "BackendTruncated");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_record_that_was_changed_ends_the_tunnel_with_an_alert_and_a_reset(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await server.SendAsync("before it"u8);
        var bad = server.Seal("changed on the way"u8);
        bad[^1] ^= 1;
        await server.Wire.WriteAsync(bad);

        Assert.Equal("before it", await client.ReadTextAsync(9));
        Assert.Contains("bad_record_mac", await server.ReadAlertAsync(), StringComparison.Ordinal);
        Assert.False(await client.EndsInOrderAsync());
        await EndsWithAsync(balancer, "BackendTlsFailed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task An_alert_of_the_backend_is_a_reset(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        await server.Wire.WriteAsync((byte[])[.. server.Seal("before it"u8), .. server.End.Refuse(TlsAlert.internal_error, "the test")]);

        Assert.Equal("before it", await client.ReadTextAsync(9));
        Assert.False(await client.EndsInOrderAsync());
        await EndsWithAsync(balancer, "BackendTlsFailed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_backend_that_breaks_off_ends_the_clients_side(Lane lane)
    {
        var (balancer, client, server) = await OpenAsync(lane);

        server.Wire.Reset();

        await client.WaitForEndAsync();
        await EndsWithAsync(balancer, "BackendReset");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Data_and_the_end_may_come_with_the_101(Lane lane)
    {
        var (balancer, client, _) = await OpenAsync(lane, answer: static (peer, head) =>
            [.. peer.Seal(Latin1(head)), .. peer.Seal(Early), .. peer.Seal(new byte[100_000]), .. peer.CloseNotify()]);

        Assert.Equal(Early, await client.ReadExactlyAsync(Early.Length));
        Assert.Equal(100_000, (await client.ReadToEndAsync()).Length);
        await client.FinishAsync();
        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task Both_ends_may_come_with_the_beginning(Lane lane)
    {
        for (var round = 0; round < 20; round++)
        {
            var backend = StartPeers(answer: static (peer, head) => [.. peer.Seal(Latin1(head + "farewell")), .. peer.CloseNotify()]);
            var balancer = Start(lane, TrustingPool(Https(backend)));
            await using var client = await balancer.ConnectAsync(lane);
            await client.WriteAsync(HttpHead.Handshake() + "hello");

            Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
            Assert.Equal("farewell", await client.ReadTextToEndAsync());
            await client.FinishAsync();
            await EndsWithAsync(balancer, "BackendClosed");
        }
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_bad_record_may_come_with_the_101(Lane lane)
    {
        var (balancer, client, _) = await OpenAsync(lane, answer: static (peer, head) =>
        {
            byte[] good = [.. peer.Seal(Latin1(head)), .. peer.Seal(Early)];
            var bad = peer.Seal(Early);
            bad[^1] ^= 1;
            return [.. good, .. bad];
        });

        Assert.Equal(Early, await client.ReadExactlyAsync(Early.Length));
        Assert.False(await client.EndsInOrderAsync());
        await EndsWithAsync(balancer, "BackendTlsFailed");
    }

    [Theory]
    [MemberData(nameof(RawTlsBackendLanes))]
    public async Task A_silent_tunnel_is_ended_by_its_idle_timeout(Lane lane)
    {
        var backend = StartPeers();
        var balancer = Start(lane, TrustingPool(Https(backend)).With("Pools:chat:Tunnels:IdleTimeout", "00:00:01"));
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        await client.WaitForEndAsync();

        await EndsWithAsync(balancer, "IdleTimeout");
    }

    private static byte[] Latin1(string text) => System.Text.Encoding.Latin1.GetBytes(text);
}
