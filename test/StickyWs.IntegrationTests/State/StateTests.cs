using System.Net;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.State;

/// <summary>What a page would show is what there is: tuples as the sockets have them, counts as bytes went.</summary>
public sealed class StateTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_is_shown_with_both_its_tuples_its_lane_and_its_bytes(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await client.WriteAsync("four");
        Assert.Equal("four", await server.ReadTextAsync(4));
        await server.WriteAsync("sixsix");
        Assert.Equal("sixsix", await client.ReadTextAsync(6));
        await Wait.UntilAsync(async () => (await state.ReadTunnelsAsync()).Any(tunnel => tunnel is { BytesToBackend: 4, BytesToClient: 6 }));

        var tunnel = Assert.Single(await state.ReadTunnelsAsync());

        Assert.Equal(("chat", "a", lane.Tag()), (tunnel.Pool, tunnel.Backend, tunnel.Lane));
        Assert.Equal((Mapped(client.Socket.LocalEndPoint), Mapped(client.Socket.RemoteEndPoint)), (tunnel.Client!.Source, tunnel.Client.Destination));
        Assert.Equal((Mapped(server.Socket.RemoteEndPoint), Mapped(server.Socket.LocalEndPoint)),
            (Mapped(tunnel.Upstream!.Source), Mapped(tunnel.Upstream.Destination)));
        Assert.Equal((4, 6), (tunnel.BytesToBackend, tunnel.BytesToClient));
        Assert.Equal(1, state.Read().Tunnels);
        Assert.Equal((1, 4, 6), Counts(Assert.Single(Assert.Single(state.Read().Pools).Backends)));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_watch_tells_of_a_tunnels_beginning_and_end(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        await using var watch = state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        Assert.Equal(0, (await NextAsync<SnapshotTaken>(watch)).Snapshot.Tunnels);

        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var opened = (await NextAsync<TunnelOpened>(watch)).Tunnel;
        await server.WriteAsync("bye");
        await server.FinishAsync();
        Assert.Equal("bye", await client.ReadTextToEndAsync());
        await client.DisposeAsync();
        var ended = await NextAsync<TunnelEnded>(watch);

        Assert.NotNull(opened.Upstream);
        Assert.Equal((opened.Id, EndReason.BackendClosed, "none", 3), (ended.Tunnel.Id, ended.Reason, ended.Farewell, ended.Tunnel.BytesToClient));
    }

    // What is told of it must not be read from a request that is over.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_watch_that_is_late_is_told_of_a_tunnel_that_has_ended(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        await using var watch = state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);
        for (var i = 0; i < 20; i++)
        {
            var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
            await client.DisposeAsync();
            await server.DisposeAsync();
            await balancer.AssertNoLeasesAsync();
        }

        await Wait.UntilAsync(() => state.Read().Tunnels == 0);
        var open = new HashSet<string>();
        for (var i = 0; i < 40; i++)
        {
            Assert.True(await watch.MoveNextAsync());
            if (watch.Current is TunnelOpened { Tunnel: var opened }) Assert.True(opened.Client is not null && open.Add(opened.Id));
            else Assert.True(open.Remove(Assert.IsType<TunnelEnded>(watch.Current).Tunnel.Id));
        }

        Assert.Empty(open);
    }

    [Fact]
    public async Task A_filter_finds_the_tunnels_of_one_backend_and_a_limit_holds()
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(Lane.Raw, backends[0].Address, backends[1].Address);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        for (var i = 0; i < 6; i++) await (await ConnectAsync(balancer, Lane.Raw)).AskAsync(HttpHead.Handshake());
        await Wait.UntilAsync(() => state.Read().Tunnels == 6);

        Assert.Equal(6, (await state.ReadTunnelsAsync()).Count);
        Assert.All(await state.ReadTunnelsAsync(new TunnelFilter { Backend = "B" }), tunnel => Assert.Equal("b", tunnel.Backend));
        Assert.Equal(3, (await state.ReadTunnelsAsync(new TunnelFilter { Pool = "chat", Backend = "b" })).Count);
        Assert.Empty(await state.ReadTunnelsAsync(new TunnelFilter { Pool = "other" }));
        Assert.Equal(2, (await state.ReadTunnelsAsync(new TunnelFilter { Limit = 2 })).Count);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => state.ReadTunnelsAsync(new TunnelFilter { Limit = -1 }));
    }

    [Fact]
    public async Task A_reload_that_drains_a_backend_is_told_as_a_new_configuration()
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(Lane.Portable, backends[0].Address, backends[1].Address);
        var state = balancer.Services.GetRequiredService<IStickyWsState>();
        await using var watch = state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        var before = (await NextAsync<SnapshotTaken>(watch)).Snapshot;

        balancer.Settings.Change(settings => settings["StickyWs:Pools:chat:Backends:b:Enabled"] = "false");
        var after = (await NextAsync<ConfigurationChanged>(watch)).Snapshot;

        Assert.True(after.Revision > before.Revision);
        var drained = after.Pools[0].Backends[1];
        Assert.Equal(("b", BackendState.Draining, "configuration", false), (drained.Name, drained.State, drained.Cause, drained.IsEligible));
    }

    private static (int Tunnels, long ToBackend, long ToClient) Counts(BackendStatus backend)
        => (backend.ActiveTunnels, backend.BytesToBackend, backend.BytesToClient);

    private static IPEndPoint Mapped(EndPoint? client)
    {
        var endPoint = (IPEndPoint)client!;
        return endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
    }

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<StateChange> watch)
        where T : StateChange
    {
        Assert.True(await watch.MoveNextAsync());
        return Assert.IsType<T>(watch.Current);
    }
}
