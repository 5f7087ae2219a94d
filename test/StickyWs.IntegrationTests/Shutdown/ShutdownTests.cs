using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Shutdown;

public sealed class ShutdownTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task Tunnels_that_outlive_the_shutdown_time_are_broken_off(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await balancer.StopAsync();

        await client.WaitForEndAsync();
        await server.WaitForEndAsync();
        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal(["Shutdown"], balancer.EndReasons);
        await Assert.ThrowsAnyAsync<SocketException>(() => RawClient.ConnectAsync(balancer.Address));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_works_on_while_the_host_stops_and_may_end_in_order(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Owned(Balancer.Start(lane, Pool(backend.Address).With("Shutdown:Goodbye", "false"), builder => builder.ConfigureServices(services
            => services.PostConfigure<HostOptions>(host => host.ShutdownTimeout = Wait.Bound))));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        var stopping = balancer.StopAsync();
        await Wait.UntilAsync(() => balancer.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        await client.WriteAsync("still here");
        Assert.Equal("still here", await server.ReadTextAsync(10));
        await server.WriteAsync("so am I");
        Assert.Equal("so am I", await client.ReadTextAsync(7));
        Assert.False(stopping.IsCompleted);
        await client.FinishAsync();
        Assert.Equal("", await server.ReadTextToEndAsync());
        await server.FinishAsync();
        await stopping;

        Assert.Equal(["ClientClosed"], balancer.EndReasons);
    }

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_reader_and_a_backend_that_stall_do_not_hold_the_host(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var pushing = Task.WhenAll(PushUntilBrokenAsync(client), PushUntilBrokenAsync(server));
        await Wait.UntilAsync(() => !SentQueue.IsEmpty(client.Socket) && !SentQueue.IsEmpty(server.Socket));

        await balancer.StopAsync();

        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal(["Shutdown"], balancer.EndReasons);
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "TunnelsLeftAtShutdown");
        await pushing;
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_handshake_under_way_does_not_hold_the_host(Lane lane)
    {
        await using var backend = RawBackend.Start(async (backend, wire) => await backend.TakeHeadAsync(wire));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:00:03"));
        var client = await ConnectAsync(balancer, lane);
        await client.WriteAsync(HttpHead.Handshake());
        await Wait.UntilAsync(() => backend.Heads.Count == 1);

        await balancer.StopAsync();

        await client.WaitForEndAsync();
    }

    private static async Task PushUntilBrokenAsync(Wire wire)
    {
        var chunk = new byte[64 * 1024];
        try
        {
            while (true) await wire.WriteAsync(chunk);
        }
        catch (IOException)
        {
            // Broken off, as expected.
        }
    }
}
