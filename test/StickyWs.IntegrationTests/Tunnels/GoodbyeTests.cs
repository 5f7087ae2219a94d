using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tunnels;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>What both sides see when the balancer ends a tunnel with a word.</summary>
public sealed class GoodbyeTests : BalancerTest
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Both_sides_at_rest_close_in_order(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        using var ended = balancer.Collect<long>("stickyws.tunnels.ended");
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer);

        await AssertToldAsync(client);
        var answer = Frames.OfClient(0x88, [3, 0xF4]);
        await client.WriteAsync(answer);
        Assert.Equal(answer, await server.ReadExactlyAsync(answer.Length));
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xF4]));
        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer, ended, "both");
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Nothing_that_a_client_sends_before_its_own_Close_is_lost(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var message = Frames.OfClient(0x82, RandomNumberGenerator.GetBytes(1_000_000));
        var reading = server.ReadExactlyAsync(message.Length);
        await client.WriteAsync(message.AsMemory(..300_000));

        await SayAsync(balancer);
        await AssertToldAsync(client);
        await client.WriteAsync(message.AsMemory(300_000..));
        await CloseAsync(client, server, message, reading);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_backend_in_the_middle_of_a_frame_may_end_it_and_no_more(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var message = Frames.OfBackend(0x02, RandomNumberGenerator.GetBytes(1_000_000));
        var writing = server.WriteAsync(message.AsMemory(..300_000));
        Assert.Equal(message[..300_000], await client.ReadExactlyAsync(300_000));
        await writing;
        var reading = client.ReadExactlyAsync(message.Length - 300_000);

        await SayAsync(balancer);
        await server.WriteAsync(message.AsMemory(300_000..900_000));
        await server.WriteAsync((byte[])[.. message[900_000..], .. Frames.OfBackend(0x80, "too late"u8.ToArray())]);

        Assert.Equal(message[300_000..], await reading);
        await AssertToldAsync(client);
        await CloseAsync(client, server, [], Task.FromResult(Array.Empty<byte>()));
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Bulk_both_ways_ends_between_two_frames(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        using var stop = new CancellationTokenSource();
        var toClient = StreamAsync(server, Frames.OfBackend(0x82, new byte[500_000]), stop.Token);
        var toBackend = StreamAsync(client, Frames.OfClient(0x82, new byte[500_000]), stop.Token);
        var backendsReader = Task.Run(() => CountAsync(server, isMasked: true));
        var clientsReader = Task.Run(() => CountAsync(client, isMasked: false, after: 20, () => SayAsync(balancer)));

        var (_, code) = await clientsReader;
        Assert.Equal(1012, code);
        await stop.CancelAsync();
        var sent = await toBackend;
        await client.WriteAsync(Frames.OfClient(0x88, [3, 0xF4]));
        Assert.Equal((sent, 1012), await backendsReader);
        await toClient;
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xF4]));
        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_client_that_does_not_answer_is_not_waited_for(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer, Short);

        await AssertToldAsync(client);
        Assert.Equal(1012, await ReadMaskedCloseAsync(server));
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xF4]));
        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_backend_that_does_not_answer_is_not_waited_for(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer, Short);

        await AssertToldAsync(client);
        var answer = Frames.OfClient(0x88, [3, 0xF4]);
        await client.WriteAsync(answer);
        Assert.Equal(answer, await server.ReadExactlyAsync(answer.Length));
        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_frame_that_does_not_end_in_time_is_cut(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await server.WriteAsync((byte[])[0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3]);
        await client.ReadExactlyAsync(13);

        await SayAsync(balancer, Short);

        await client.WaitForEndAsync();
        await server.WaitForEndAsync();
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Without_frames_both_connections_end_in_order(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address).With("Pools:chat:Tunnels:FollowFrames", "false"));
        using var ended = balancer.Collect<long>("stickyws.tunnels.ended");
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer);

        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer, ended, "unknown");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_is_no_frame_passes_and_costs_the_tunnel_its_word_only(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await client.WriteAsync("no frame at all");
        Assert.Equal("no frame at all", await server.ReadTextAsync(15));
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer);

        await client.WaitForEndAsync();
        Assert.True(await server.EndsInOrderAsync());
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_is_told_once(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        for (var i = 0; i < 3; i++) await SayAsync(balancer);
        await AssertToldAsync(client);
        await SayAsync(balancer, reason: EndReason.Cut);

        await CloseAsync(client, server, [], Task.FromResult(Array.Empty<byte>()));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_is_told_as_soon_as_it_is_open(Lane lane)
    {
        await using var backend = RawBackend.Opening(firstBytes: "\u0081\u0002hi");
        var balancer = Start(lane, backend.Address);
        balancer.Services.GetRequiredService<TunnelTable>().Opened += tunnel => tunnel.Say(Word(TimeSpan.FromSeconds(20)));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        Assert.Equal(Frames.OfBackend(0x81, "hi"u8.ToArray()), await client.ReadExactlyAsync(4));
        await AssertToldAsync(client);
        await CloseAsync(client, server, [], Task.FromResult(Array.Empty<byte>()));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_has_finished_is_told(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await client.FinishAsync();
        Assert.Equal("", await server.ReadTextToEndAsync());

        await SayAsync(balancer);

        await AssertToldAsync(client);
        await server.FinishAsync();
        Assert.True(await client.EndsInOrderAsync());
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_side_that_has_its_peers_Close_gets_no_second_one(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var close = Frames.OfBackend(0x88, [3, 0xE8]);
        await server.WriteAsync(close);
        Assert.Equal(close, await client.ReadExactlyAsync(close.Length));

        await SayAsync(balancer);
        var answer = Frames.OfClient(0x88, [3, 0xE8]);
        await client.WriteAsync(answer);

        Assert.Equal(answer, await server.ReadExactlyAsync(answer.Length));
        await AssertBothEndAsync(client, server);
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_closes_without_a_Close_leaves_its_backend_one(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);

        await SayAsync(balancer);
        await AssertToldAsync(client);
        await client.FinishAsync();

        Assert.Equal(1012, await ReadMaskedCloseAsync(server));
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xF4]));
        Assert.True(await client.EndsInOrderAsync());
        Assert.True(await server.EndsInOrderAsync());
        await server.FinishAsync();
        await EndsAsync(balancer);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_was_told_may_answer_though_its_backend_broke(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);
        await SayAsync(balancer);
        await AssertToldAsync(client);

        server.Reset();
        await client.WriteAsync(Frames.OfClient(0x81, "last words"u8.ToArray()));
        await client.WriteAsync(Frames.OfClient(0x88, [3, 0xF4]));

        Assert.True(await client.EndsInOrderAsync());
        await client.FinishAsync();
        await EndsAsync(balancer);
    }

    // Nothing is written to the backend meanwhile, so it is the read that sees the break.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_was_told_is_not_reset_when_its_backend_breaks(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await Frames.AssertPassAsync(client, server);
        await SayAsync(balancer, Short);
        await AssertToldAsync(client);

        server.Reset();

        Assert.True(await client.EndsInOrderAsync());
        await client.FinishAsync();
        await EndsAsync(balancer);
    }

    [Theory]
    [InlineData(Lane.Raw, 1)]
    [InlineData(Lane.Portable, 1)]
    [InlineData(Lane.RawTls, 1)]
    [InlineData(Lane.InsideTls, 1)]
    [InlineData(Lane.InsideTls, 2)]
    public async Task The_runtimes_own_client_and_server_see_an_orderly_close(Lane lane, int version)
    {
        var closed = new TaskCompletionSource<(WebSocketCloseStatus?, string?)>();
        await using var backend = await EchoBackend.StartAsync("a", configure: app => ClosingBackend.Map(app, closed));
        var balancer = Start(lane, backend.Address);
        using var invoker = ClosingBackend.Invoker();
        using var socket = await ClosingBackend.ConnectAsync(balancer.Address, version, invoker);

        await SayAsync(balancer);
        var received = await socket.ReceiveAsync(new byte[16].AsMemory(), Wait.Token());
        Assert.Equal(WebSocketMessageType.Close, received.MessageType);
        await socket.CloseAsync((WebSocketCloseStatus)1012, "restart", Wait.Token());

        Assert.Equal(((WebSocketCloseStatus)1012, "restart"), (socket.CloseStatus!.Value, socket.CloseStatusDescription));
        Assert.Equal(((WebSocketCloseStatus?)1012, "restart"), await closed.Task.WaitAsync(Wait.Bound));
        await EndsAsync(balancer);
    }

    private static Goodbye Word(TimeSpan timeout, EndReason reason = EndReason.HandedOff) => new(1012, "restart", reason, timeout);

    // A client has its 101 before the tunnel is in the table.
    private static async Task SayAsync(Balancer balancer, TimeSpan? timeout = null, EndReason reason = EndReason.HandedOff)
    {
        var tunnels = balancer.Services.GetRequiredService<TunnelTable>();
        await Wait.UntilAsync(() => tunnels.Count == 1);
        Assert.Equal(1, tunnels.Say(_ => true, Word(timeout ?? TimeSpan.FromSeconds(20), reason)));
    }

    private static async Task AssertToldAsync(Wire client) => Assert.Equal([0x88, 9, 3, 0xF4, .. "restart"u8], await client.ReadExactlyAsync(11));

    // The closing handshake of both peers, after what is still on its way to the backend.
    private static async Task CloseAsync(Wire client, Wire server, byte[] before, Task<byte[]> reading)
    {
        var answer = Frames.OfClient(0x88, [3, 0xF4]);
        await client.WriteAsync(answer);
        Assert.Equal(before, await reading);
        Assert.Equal(answer, await server.ReadExactlyAsync(answer.Length));
        await server.WriteAsync(Frames.OfBackend(0x88, [3, 0xF4]));
        await AssertBothEndAsync(client, server);
    }

    private static async Task AssertBothEndAsync(Wire client, Wire server)
    {
        Assert.True(await client.EndsInOrderAsync(), "The client's connection was broken.");
        await client.FinishAsync();
        Assert.True(await server.EndsInOrderAsync(), "The backend's connection was broken.");
        await server.FinishAsync();
    }

    private static async Task<int> ReadMaskedCloseAsync(Wire server)
    {
        var close = await server.ReadExactlyAsync(15);
        Assert.Equal([0x88, 0x89], close[..2]);
        Assert.Equal("restart"u8.ToArray(), close[8..].Select((one, i) => (byte)(one ^ close[2 + ((i + 2) % 4)])));
        return ((close[6] ^ close[2]) << 8) | (close[7] ^ close[3]);
    }

    // Whole frames only, until told to stop. Returns their number.
    private static async Task<int> StreamAsync(Wire wire, byte[] frame, CancellationToken stop)
    {
        var sent = 0;
        for (; !stop.IsCancellationRequested; sent++) await wire.WriteAsync(frame);
        return sent;
    }

    // Returns the number of messages, and the code of the Close after them.
    private static async Task<(int Messages, int Code)> CountAsync(Wire wire, bool isMasked, int after = 0, Func<Task>? then = null)
    {
        var messages = 0;
        while (true)
        {
            var head = await wire.ReadExactlyAsync(2);
            var length = (head[1] & 0x7F) switch
            {
                127 => (int)BinaryPrimitives.ReadInt64BigEndian(await wire.ReadExactlyAsync(8)),
                var small => small,
            };
            var key = isMasked ? await wire.ReadExactlyAsync(4) : [0, 0, 0, 0];
            var payload = await wire.ReadExactlyAsync(length);
            if (head[0] == 0x88) return (messages, ((payload[0] ^ key[0]) << 8) | (payload[1] ^ key[1]));
            Assert.Equal((0x82, 500_000), (head[0], length));
            if (++messages == after) await then!();
        }
    }

    private static async Task EndsAsync(Balancer balancer)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([nameof(EndReason.HandedOff)], balancer.EndReasons);
    }

    private static async Task EndsAsync(
        Balancer balancer, Microsoft.Extensions.Diagnostics.Metrics.Testing.MetricCollector<long> ended, string farewell)
    {
        await EndsAsync(balancer);
        Assert.Equal(farewell, Assert.Single(ended.GetMeasurementSnapshot()).Tags["stickyws.farewell"]);
    }
}
