using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>What <c>TunnelEnded</c> tells: whether a tunnel ended with a word, and the lane that it took.</summary>
public sealed class FarewellTests : BalancerTest
{
    // Status 1000 (RFC 6455 section 5.5.1), the client's masked.
    private static readonly byte[] ClientsClose = [0x88, 0x82, 1, 2, 3, 4, 3 ^ 1, 232 ^ 2];
    private static readonly byte[] BackendsClose = [0x88, 2, 3, 232];
    private static readonly byte[] ClientsText = [0x81, 0x82, 1, 2, 3, 4, (byte)'h' ^ 1, (byte)'i' ^ 2];
    private static readonly byte[] BackendsText = [0x81, 2, (byte)'h', (byte)'i'];

    public static TheoryData<Lane, string, string> EveryHostileStream { get; } =
    [
        .. from lane in Enum.GetValues<Lane>()
        from one in new[] { ("endless frame", "none"), ("2^63", "unknown"), ("flood of pings", "backend"), ("trickled headers", "backend") }
        select new TheoryDataRow<Lane, string, string>(lane, one.Item1, one.Item2),
    ];

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_closing_handshake_is_a_farewell_of_both(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(client, server, ClientsText);
        await PassAsync(server, client, BackendsText);
        await PassAsync(client, server, ClientsClose);
        await PassAsync(server, client, BackendsClose);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "both");
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "TunnelEnded"));
        Assert.Contains($"in the {lane.Tag()} lane ended as BackendClosed, farewell of both;",
            balancer.Log.Lines.Single(line => line.Event == "TunnelEnded").Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_that_crashes_says_none(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(server, client, BackendsText);
        server.Reset();

        await client.WaitForEndAsync();
        await EndsAsync(ended, lane, "BackendReset", "none");
    }

    // A process that is killed has its sockets closed by the kernel, with a FIN.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_that_ends_without_a_word_says_none(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(client, server, ClientsText);
        await server.FinishAsync();
        Assert.Equal("", await client.ReadTextToEndAsync());
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "none");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_says_farewell_and_breaks_off_has_said_it(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(client, server, ClientsClose);
        client.Reset();

        await server.WaitForEndAsync();
        await EndsAsync(ended, lane, "ClientReset", "client");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_may_say_it_behind_a_message_in_the_same_piece(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(server, client, [.. BackendsText, .. BackendsClose]);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_may_say_it_in_two_pieces(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(server, client, BackendsClose[..2]);
        await PassAsync(server, client, BackendsClose[2..]);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    // As one that accepts every handshake and refuses by a status code does.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_backend_may_say_it_right_behind_its_101(Lane lane)
    {
        await using var backend = RawBackend.Opening(firstBytes: "\u0088\u0002\u0003\u00e8");
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        Assert.Equal(BackendsClose, await client.ReadExactlyAsync(BackendsClose.Length));
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_message_behind_a_Close_does_not_take_it_back(Lane lane)
    {
        await using var backend = RawBackend.Opening(firstBytes: "\u0088\u0002\u0003\u00e8");
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await client.ReadExactlyAsync(BackendsClose.Length);
        await PassAsync(server, client, BackendsText);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    // In bulk, and cut where it happens to be cut.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_farewell_within_bulk_is_heard(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var frame = Frames.OfBackend(0x82, new byte[1_000_000]);

        for (var i = 0; i < 8; i++) await PassAsync(server, client, frame);
        await PassAsync(server, client, [.. frame, .. BackendsText, .. BackendsClose[..1]]);
        await PassAsync(server, client, BackendsClose[1..]);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    // Whatever a peer sends, it passes as it is.
    [Theory]
    [MemberData(nameof(EveryHostileStream))]
    public async Task A_hostile_stream_passes_untouched(Lane lane, string name, string farewell)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        if (name == "trickled headers") foreach (var one in Frames.OfBackend(0x82, new byte[70_000])[..10]) await PassAsync(server, client, [one]);

        await PassAsync(server, client, name switch
        {
            "endless frame" => [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255, .. new byte[2_000_000]],
            "2^63" => [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, .. new byte[2_000_000]],
            "flood of pings" => [.. Enumerable.Repeat<byte[]>([0x89, 0, 0x89, 1, 7], 100_000).SelectMany(pings => pings)],
            _ => new byte[70_000],
        });
        await PassAsync(server, client, BackendsClose);
        server.Reset();

        await client.WaitForEndAsync();
        await EndsAsync(ended, lane, "BackendReset", farewell);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_farewell_after_bulk_is_heard(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await PassAsync(server, client, new byte[8_000_000]);
        await PassAsync(server, client, BackendsClose);
        await server.FinishAsync();
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        await EndsAsync(ended, lane, "BackendClosed", "backend");
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task The_lane_is_a_tag_of_handshakes_and_tunnels(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var (balancer, ended) = Observe(lane, backend);
        using var handshakes = balancer.Collect<double>("stickyws.handshake.duration");
        using var opened = balancer.Collect<long>("stickyws.tunnels.opened");
        using var lives = balancer.Collect<double>("stickyws.tunnel.duration");
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        server.Reset();
        await client.WaitForEndAsync();
        await lives.WaitForMeasurementsAsync(1, Wait.Bound);

        Assert.Equal(lane.Tag(), Assert.Single(handshakes.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
        Assert.Equal(lane.Tag(), Assert.Single(opened.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
        Assert.Equal(lane.Tag(), Assert.Single(lives.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
        Assert.Equal(lane.Tag(), Assert.Single(ended.GetMeasurementSnapshot()).Tags["stickyws.lane"]);
    }

    private (Balancer Balancer, MetricCollector<long> Ended) Observe(Lane lane, RawBackend backend)
    {
        var balancer = Owned(Balancer.Start(lane, Pool(backend.Address),
            builder => builder.ConfigureLogging(logging => logging.AddFilter("StickyWs", LogLevel.Debug))));
        balancer.Log.Level = LogLevel.Debug;
        return (balancer, balancer.Collect<long>("stickyws.tunnels.ended"));
    }

    // What has come through was looked at before.
    private static async Task PassAsync(Wire from, Wire to, byte[] bytes)
    {
        var writing = from.WriteAsync(bytes);
        Assert.Equal(bytes, await to.ReadExactlyAsync(bytes.Length));
        await writing;
    }

    private static async Task EndsAsync(MetricCollector<long> ended, Lane lane, string reason, string farewell)
    {
        await ended.WaitForMeasurementsAsync(1, Wait.Bound);
        var tags = Assert.Single(ended.GetMeasurementSnapshot()).Tags;
        Assert.Equal((reason, farewell, lane.Tag()), (tags["stickyws.end_reason"], tags["stickyws.farewell"], tags["stickyws.lane"]));
        ended.Dispose();
    }
}
