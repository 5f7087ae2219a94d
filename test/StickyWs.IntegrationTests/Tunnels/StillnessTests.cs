using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>What ends a tunnel in which nothing moves. That it ends is waited for, not how soon.</summary>
public sealed class StillnessTests : BalancerTest
{
    public static TheoryData<Lane> StillLanes { get; } = [.. PlainLanes, Lane.RawTls, Lane.RawTlsEpoll, Lane.RawTlsKept];

    [Theory]
    [MemberData(nameof(StillLanes))]
    public async Task A_tunnel_that_is_still_for_longer_than_its_pool_allows_is_broken_off(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:IdleTimeout", "00:00:00.3"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await client.WaitForEndAsync();
        await server.WaitForEndAsync();

        await AssertEndedAsync(balancer, "IdleTimeout");
    }

    [Theory]
    [MemberData(nameof(StillLanes))]
    public async Task A_tunnel_whose_client_has_finished_waits_for_its_backend_only_so_long(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:HalfClosedTimeout", "00:00:00.3"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var untouched = await OpenTunnelAsync(balancer, lane, backend);

        await client.FinishAsync();

        Assert.Equal("", await server.ReadTextToEndAsync());
        await client.WaitForEndAsync();
        await AssertEndedAsync(balancer, "IdleTimeout");
        await untouched.Client.WriteAsync("still here");
        Assert.Equal("still here", await untouched.Backend.ReadTextAsync(10));
    }

    // The tunnels beside it show that the limit has passed meanwhile.
    [Theory]
    [InlineData(Lane.Raw, true)]
    [InlineData(Lane.RawEpoll, true)]
    [InlineData(Lane.Raw, false)]
    [InlineData(Lane.RawEpoll, false)]
    [InlineData(Lane.Portable, true)]
    [InlineData(Lane.Portable, false)]
    [InlineData(Lane.KeptAlive, true)]
    [InlineData(Lane.RawTls, true)]
    [InlineData(Lane.RawTls, false)]
    [InlineData(Lane.RawTlsKept, true)]
    [InlineData(Lane.RawTlsEpoll, false)]
    public async Task Bytes_in_either_direction_keep_a_tunnel_alive(Lane lane, bool fromClient)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:IdleTimeout", "00:00:03"));
        var active = await OpenTunnelAsync(balancer, lane, backend);
        Wire sender = fromClient ? active.Client : active.Backend;
        Wire receiver = fromClient ? active.Backend : active.Client;
        var still = await OpenTunnelAsync(balancer, lane, backend);
        var ending = still.Client.WaitForEndAsync();
        while (!ending.IsCompleted)
        {
            await sender.WriteAsync(".");
            Assert.Equal(".", await receiver.ReadTextAsync(1));
        }

        await AssertEndedAsync(balancer, "IdleTimeout");
        await sender.WriteAsync("!");
        Assert.Equal("!", await receiver.ReadTextAsync(1));
        Assert.Equal(1, balancer.OpenTunnels);
    }

    [Theory]
    [MemberData(nameof(StillLanes))]
    public async Task The_system_watches_over_the_peers_of_a_tunnel(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The options are read as Linux has them.");
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:DeadPeerTimeout", "00:00:16"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await AssertWatchedAsync(client, 16_000);
        await AssertWatchedAsync(server, 16_000);
    }

    [Theory]
    [MemberData(nameof(StillLanes))]
    public async Task Without_a_time_for_dead_peers_the_system_keeps_its_own_patience(Lane lane)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The options are read as Linux has them.");
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Tunnels:DeadPeerTimeout", "none"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await client.WriteAsync("x");
        await server.ReadTextAsync(1);

        Assert.Equal(0, PeerOptions.Of(client.Socket).UserTimeout);
        Assert.Equal(0, PeerOptions.Of(server.Socket).UserTimeout);
    }

    // They are set behind the 101.
    private static async Task AssertWatchedAsync(Wire wire, int milliseconds)
    {
        await Wait.UntilAsync(() => PeerOptions.Of(wire.Socket).UserTimeout == milliseconds);
        await Wait.UntilAsync(() => PeerOptions.Of(wire.Socket) == new PeerOptions(milliseconds, KeepsAlive: true, milliseconds / 1000 / 2,
            milliseconds / 1000 / 8));
    }

    private static async Task AssertEndedAsync(Balancer balancer, string reason)
    {
        await Wait.UntilAsync(() => balancer.EndReasons.Count > 0);
        Assert.Equal([reason], balancer.EndReasons);
    }
}
