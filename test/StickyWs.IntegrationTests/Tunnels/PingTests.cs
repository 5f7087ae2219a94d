using System.Net.WebSockets;
using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>What peers see of the balancer's own pings, and of limits to the silence of either side. That an end comes is waited for, not how soon.</summary>
public sealed class PingTests : BalancerTest
{
    private static readonly byte[] Told = [0x88, 21, 3, 0xE9, .. "silent for too long"u8];

    public static TheoryData<Lane, bool> EveryLaneAndSide { get; } =
        [.. from lane in Enum.GetValues<Lane>() from isClient in new[] { true, false } select new TheoryDataRow<Lane, bool>(lane, isClient)];

    /// <summary>With the version of HTTP.</summary>
    public static TheoryData<Lane, int> LanesOfClients { get; } = new()
    {
        { Lane.Raw, 1 },
        { Lane.RawEpoll, 1 },
        { Lane.Portable, 1 },
        { Lane.KeptAlive, 1 },
        { Lane.RawTls, 1 },
        { Lane.RawTlsKept, 1 },
        { Lane.SniffedInsideTls, 1 },
        { Lane.InsideTls, 1 },
        { Lane.InsideTls, 2 },
    };

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Peers_that_answer_are_asked_again_and_hear_nothing_of_each_others_Pongs(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, Asking(backend, "00:00:00.2", "00:00:30", "Both"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        for (var i = 0; i < 3; i++)
        {
            var (toClient, toServer) = (client.ReadExactlyAsync(OwnPings.ToClient), server.ReadExactlyAsync(OwnPings.ToBackend));
            await AnswerInTwoAsync(client, await toClient, cut: 3 * i);
            await AnswerInTwoAsync(server, await toServer, cut: 5 * i);
        }

        // Between these and the next pings nothing else comes.
        var (fromClient, fromServer) = (Frames.OfClient(0x81, "hi"u8.ToArray()), Frames.OfBackend(0x81, "hello"u8.ToArray()));
        await client.WriteAsync(fromClient);
        await server.WriteAsync(fromServer);
        await ReadPastPingsAsync(server, fromClient, OwnPings.ToBackend);
        await ReadPastPingsAsync(client, fromServer, OwnPings.ToClient);
        Assert.Empty(balancer.EndReasons);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndSide))]
    public async Task A_mute_side_is_broken_off_and_the_other_is_told(Lane lane, bool isClient)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Asking(backend, "00:00:00.2", "00:00:00.5", isClient ? "Client" : "Backend"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        Wire mute = isClient ? client : server;
        Wire other = isClient ? server : client;

        await mute.ReadExactlyAsync(isClient ? OwnPings.ToClient : OwnPings.ToBackend);
        var told = await other.ReadExactlyAsync(isClient ? Told.Length + 4 : Told.Length);
        Assert.Equal((0x88, isClient ? 0x80 | 21 : 21), (told[0], told[1]));
        await other.WriteAsync(isClient ? Frames.OfBackend(0x88, [3, 0xE9]) : Frames.OfClient(0x88, [3, 0xE9]));

        Assert.True(await other.EndsInOrderAsync());
        await mute.WaitForEndAsync();
        await other.FinishAsync();
        await AssertEndedAsync(balancer, isClient ? EndReason.ClientPingTimeout : EndReason.BackendPingTimeout);
    }

    // Whatever the other one sends.
    [Theory]
    [MemberData(nameof(EveryLaneAndSide))]
    public async Task A_side_that_is_silent_for_too_long_ends_the_tunnel_with_a_word(Lane lane, bool isClient)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With($"Pools:chat:Tunnels:{(isClient ? "Client" : "Backend")}IdleTimeout", "00:00:01"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        Wire other = isClient ? server : client;
        var message = isClient ? Frames.OfBackend(0x81, [1]) : Frames.OfClient(0x81, [1]);
        using var isOver = new CancellationTokenSource();
        var talking = TalkAsync(other, message, isOver.Token);

        var told = await ReadPastAsync(client, isClient ? message : null);
        Assert.Equal(Told, told);
        await isOver.CancelAsync();
        await talking;
        await client.WriteAsync(Frames.OfClient(0x88, [3, 0xE9]));
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xE9]));

        Assert.True(await client.EndsInOrderAsync());
        await client.FinishAsync();
        await server.FinishAsync();
        await server.WaitForEndAsync();
        await AssertEndedAsync(balancer, isClient ? EndReason.ClientIdleTimeout : EndReason.BackendIdleTimeout);
    }

    // One that receives answers by itself. Only who has answered is asked again.
    [Theory]
    [MemberData(nameof(LanesOfClients))]
    public async Task The_runtimes_own_client_answers_and_stays(Lane lane, int version)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Asking(backend, "00:00:00.2", "00:01:00", "Client"));
        var sent = 0;
        using var invoker = ClosingBackend.Invoker(() => Interlocked.Increment(ref sent));
        using var live = await ClosingBackend.ConnectAsync(balancer.Address, version, invoker);
        var server = await backend.NextTunnelAsync();
        var receiving = live.ReceiveAsync(new byte[16].AsMemory(), Wait.Token());

        var before = Volatile.Read(ref sent);
        var answers = version == 1 ? 3 : 6; // With HTTP/2, some of what is sent is none.
        await Wait.UntilAsync(() => Volatile.Read(ref sent) >= before + answers);

        await live.SendAsync("still here"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Wait.Token());
        Assert.Equal((byte[])[0x81, 0x80 | 10], await server.ReadExactlyAsync(2)); // No Pong before it.
        await server.ReadExactlyAsync(14);
        await server.WriteAsync(Frames.OfBackend(0x81, "me too"u8.ToArray()));
        var received = await receiving;
        Assert.Equal((WebSocketMessageType.Text, 6), (received.MessageType, received.Count));
        Assert.Empty(balancer.EndReasons);
    }

    [Theory]
    [MemberData(nameof(LanesOfClients))]
    public async Task The_runtimes_own_client_that_receives_nothing_is_mute(Lane lane, int version)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Asking(backend, "00:00:00.3", "00:00:00.5", "Client"));
        using var invoker = ClosingBackend.Invoker();
        using var mute = await ClosingBackend.ConnectAsync(balancer.Address, version, invoker);
        var server = await backend.NextTunnelAsync();

        Assert.Equal(0x88, (await server.ReadExactlyAsync(Told.Length + 4))[0]);
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xE9]));
        await server.FinishAsync();
        await AssertEndedAsync(balancer, EndReason.ClientPingTimeout);
    }

    private static LiveSettings Asking(RawBackend backend, string interval, string timeout, string peers) => TrustingPool(backend.Address)
        .With("Pools:chat:Tunnels:Ping:Interval", interval).With("Pools:chat:Tunnels:Ping:Timeout", timeout).With("Pools:chat:Tunnels:Ping:Peers", peers);

    private static async Task AnswerInTwoAsync(Wire wire, byte[] ping, int cut)
    {
        var pong = OwnPings.Answer(ping);
        if (cut > 0) await wire.WriteAsync(pong.AsMemory(0, cut));
        await wire.WriteAsync(pong.AsMemory(cut));
    }

    // A ping may come before it.
    private static async Task ReadPastPingsAsync(Wire wire, byte[] expected, int length)
    {
        var read = await wire.ReadExactlyAsync(expected.Length);
        while (read[0] == 0x89)
        {
            OwnPings.PayloadOf([.. read, .. await wire.ReadExactlyAsync(length - read.Length)]);
            read = await wire.ReadExactlyAsync(expected.Length);
        }

        Assert.Equal(expected, read);
    }

    private static async Task TalkAsync(Wire wire, byte[] message, CancellationToken isOver)
    {
        while (!isOver.IsCancellationRequested)
        {
            await wire.WriteAsync(message);
            await Task.Delay(50, CancellationToken.None);
        }
    }

    // The Close frame after any number of messages.
    private static async Task<byte[]> ReadPastAsync(Wire wire, byte[]? message)
    {
        while (true)
        {
            var head = await wire.ReadExactlyAsync(2);
            if (head[0] == 0x88) return [.. head, .. await wire.ReadExactlyAsync(head[1])];
            Assert.Equal(message, (byte[])[.. head, .. await wire.ReadExactlyAsync(head[1])]);
        }
    }

    private static async Task AssertEndedAsync(Balancer balancer, EndReason reason)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([$"{reason}"], balancer.EndReasons);
    }
}
