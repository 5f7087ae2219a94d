using System.Security.Cryptography;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>What a side has sent before its end reaches the other side, however slowly that reads and whatever it still sends.</summary>
public sealed class LastBytesTests : BalancerTest
{
    private const int Farewell = 2 * 1024 * 1024;

    // What the kernels between two ends hold for a reader who does not read, by their defaults.
    private const int KernelsWorth = 128 * 1024;

    public static TheoryData<Lane, bool, bool> EveryEnd { get; } = new(
        from lane in Enum.GetValues<Lane>() from isTls in new[] { false, true } from closes in new[] { false, true } select (lane, isTls, closes));

    // Kestrel's own sockets give up what the kernel still holds of a client's bytes when a write to it fails.
    public static TheoryData<Lane, bool> EveryLaneThatReadsBehindABreak { get; } = new(
        from lane in Enum.GetValues<Lane>() where lane != Lane.Portable from isTls in new[] { false, true } select (lane, isTls));

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task A_backend_that_has_finished_is_heard_out_by_a_slow_client_that_goes_on_sending(Lane lane, bool isTls, bool closes)
    {
        await using var backend = RawBackend.Opening(certificate: isTls ? TestCertificate.Server : null);
        var balancer = Start(lane, Trusting(backend));
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(Farewell);

        var leaving = SayAndLeaveAsync(server, farewell, closes);
        var dropping = closes ? Task.CompletedTask : server.WaitForEndAsync();
        var heard = await ReadSlowlyAsync(client, whileSending: true);

        Assert.Equal(farewell, heard);
        await leaving;
        await client.DisposeAsync();
        await dropping;
        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_whose_backend_is_gone_may_send_as_much_as_it_likes_before_it_reads(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(KernelsWorth);

        await SayAndLeaveAsync(server, farewell, closes: true);
        for (var i = 0; i < 1024; i++) await client.WriteAsync(new byte[16 * 1024]);

        Assert.Equal(farewell, await ReadSlowlyAsync(client, whileSending: true));
        await client.DisposeAsync();
        await EndsWithAsync(balancer, "BackendClosed");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_backend_said_before_it_broke_is_still_heard_by_a_client_that_has_finished(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var words = RandomNumberGenerator.GetBytes(KernelsWorth);

        await client.FinishAsync();
        await server.WaitForEndAsync();
        await server.WriteAsync(words);
        await Wait.UntilAsync(() => SentQueue.IsEmpty(server.Socket));
        server.Reset();

        Assert.Equal(words, await client.ReadExactlyAsync(words.Length));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_client_says_right_behind_its_backends_end_still_reaches_the_backend(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);

        await server.WriteAsync("end");
        await server.FinishAsync();
        Assert.Equal("end", await client.ReadTextAsync(3));
        await client.WriteAsync("the last word");

        Assert.Equal("the last word", await server.ReadTextAsync(13));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_backend_said_before_it_broke_is_still_heard(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var lastWords = RandomNumberGenerator.GetBytes(KernelsWorth);

        await server.WriteAsync(lastWords);
        await Wait.UntilAsync(() => SentQueue.IsEmpty(server.Socket));
        server.Reset();

        Assert.Equal(lastWords, await ReadSlowlyAsync(client, whileSending: true, mayBreak: true));
        await EndsWithAsync(balancer, "BackendReset");
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task A_client_that_has_finished_is_heard_out_by_a_slow_backend(Lane lane, bool isTls, bool closes)
    {
        await using var backend = RawBackend.Opening(certificate: isTls ? TestCertificate.Server : null);
        var balancer = Start(lane, Trusting(backend));
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(Farewell);

        var leaving = SayAndLeaveAsync(client, farewell, closes);
        var heard = await ReadSlowlyAsync(server, whileSending: false);

        Assert.Equal(farewell, heard);
        await leaving;
        await server.FinishAsync();
        await EndsWithAsync(balancer, "ClientClosed");
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task A_client_that_has_finished_is_heard_out_by_a_slow_backend_that_has_nothing_more_to_say(Lane lane, bool isTls, bool closes)
    {
        await using var backend = RawBackend.Opening(certificate: isTls ? TestCertificate.Server : null);
        var balancer = Start(lane, Trusting(backend));
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(Farewell);

        var leaving = SayAndLeaveAsync(client, farewell, closes);
        await server.FinishAsync();
        var heard = await ReadSlowlyAsync(server, whileSending: false);

        Assert.Equal(farewell, heard);
        await leaving;
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task A_client_that_has_left_is_heard_out_by_a_slow_backend_that_has_nothing_more_to_say(Lane lane, bool isTls, bool closes)
    {
        await using var backend = RawBackend.Opening(certificate: isTls ? TestCertificate.Server : null);
        var balancer = Start(lane, Trusting(backend));
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(KernelsWorth);

        await SayAndLeaveAsync(client, farewell, closes);
        await server.FinishAsync();
        var heard = await ReadSlowlyAsync(server, whileSending: false);

        Assert.Equal(farewell, heard);
    }

    [Theory]
    [MemberData(nameof(EveryLaneThatReadsBehindABreak))]
    public async Task A_client_that_has_left_in_order_is_heard_out_by_a_slow_backend_that_goes_on_sending(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: isTls ? TestCertificate.Server : null);
        var balancer = Start(lane, Trusting(backend));
        var (client, server) = await OpenSlowTunnelAsync(balancer, lane, backend);
        var farewell = RandomNumberGenerator.GetBytes(KernelsWorth);

        await SayAndLeaveAsync(client, farewell, closes: true);
        var heard = await ReadSlowlyAsync(server, whileSending: true);

        Assert.Equal(farewell, heard);
        await server.DisposeAsync();
        await EndsWithAsync(balancer, "ClientClosed");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_never_reads_its_backends_last_words_is_given_up(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:HalfClosedTimeout", "00:00:00.3"));
        var (_, server) = await OpenSlowTunnelAsync(balancer, lane, backend);

        await SayAndLeaveAsync(server, new byte[KernelsWorth], closes: true);

        await Wait.UntilAsync(() => balancer.OpenTunnels == 0);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_declined_handshake_is_answered_to_the_end_though_its_client_sends_on_and_reads_slowly(Lane lane)
    {
        var body = new string('x', Farewell);
        await using var backend = RawBackend.Answering(_ => $"HTTP/1.1 403 Forbidden\r\nContent-Length: {Farewell}\r\n\r\n{body}");
        var balancer = Start(lane, backend.Address);
        var client = OwnedClient(await balancer.ConnectAsync(lane, socket => socket.ReceiveBufferSize = 16 * 1024));

        var head = await client.AskAsync(HttpHead.Handshake());
        var answer = await ReadSlowlyAsync(client, whileSending: true);

        Assert.Equal(403, HttpHead.Status(head));
        Assert.Equal(Farewell, answer.Length);
    }

    private static LiveSettings Trusting(RawBackend backend) => Pool(backend.Address).With("Pools:chat:Tls:DangerousAcceptAnyCertificate", "true");

    private async Task<(RawClient Client, Wire Backend)> OpenSlowTunnelAsync(Balancer balancer, Lane lane, RawBackend backend)
    {
        var client = OwnedClient(await balancer.ConnectAsync(lane, socket => socket.ReceiveBufferSize = 16 * 1024));
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        return (client, await backend.NextTunnelAsync());
    }

    // A close before all has arrived, or with bytes that were not read, would be a break by the leaver's own kernel.
    private static async Task SayAndLeaveAsync(Wire wire, byte[] words, bool closes)
    {
        await wire.WriteAsync(words);
        await wire.FinishAsync();
        if (!closes) return;
        await Wait.UntilAsync(() => SentQueue.IsEmpty(wire.Socket));
        await wire.DisposeAsync();
    }

    private static async Task<byte[]> ReadSlowlyAsync(Wire wire, bool whileSending, bool mayBreak = false)
    {
        var all = new MemoryStream();
        var buffer = new byte[8 * 1024];
        try
        {
            while (await wire.ReadAsync(buffer) is > 0 and var read)
            {
                all.Write(buffer, 0, read);
                if (whileSending) whileSending = await TrySendAsync(wire);
            }
        }
        catch (IOException) when (mayBreak)
        {
            // The break that the other side had.
        }

        return all.ToArray();
    }

    private static async Task<bool> TrySendAsync(Wire wire)
    {
        try
        {
            await wire.WriteAsync(new byte[512]);
            return true;
        }
        catch (IOException)
        {
            return false; // All has been said, and nobody listens any more.
        }
    }

    private static async Task EndsWithAsync(Balancer balancer, string reason)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([reason], balancer.EndReasons);
    }
}
