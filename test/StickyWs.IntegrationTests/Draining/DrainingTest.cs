using Microsoft.Extensions.DependencyInjection;
using StickyWs.Draining;
using StickyWs.IntegrationTests.Affinity;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Draining;

/// <summary>What the tests of draining have in common: peers that answer no goodbye are not waited for, and one that sees the end closes.</summary>
public abstract class DrainingTest : AffinityTest
{
    protected static BackendTarget A { get; } = BackendTarget.Of("chat", "a");

    protected static LiveSettings Impatient(LiveSettings settings) => settings.With("Pools:chat:Drain:CloseTimeout", "00:00:00.1");

    protected static IBackendControl ControlOf(Balancer balancer) => balancer.Services.GetRequiredService<IBackendControl>();

    /// <summary>Reads to the end, however it comes, and closes.</summary>
    protected static async Task SeeOutAsync(Wire wire)
    {
        await wire.WaitForEndAsync();
        await wire.DisposeAsync();
    }

    /// <summary>Tunnels in the lane, wherever the policy leads them.</summary>
    protected async Task<RawClient[]> OpenAsync(Balancer balancer, Lane lane, int count)
    {
        var clients = new RawClient[count];
        for (var i = 0; i < count; i++)
        {
            clients[i] = await ConnectAsync(balancer, lane);
            Assert.Equal(101, HttpHead.Status(await clients[i].AskAsync(HttpHead.Handshake())));
        }

        return clients;
    }

    /// <summary>A text goes there and comes back.</summary>
    protected static async Task EchoAsync(Wire client)
    {
        await client.WriteAsync(Tunnels.Frames.OfClient(0x81, "still"u8.ToArray()));
        Assert.Equal(Tunnels.Frames.OfBackend(0x81, "still"u8.ToArray()), await client.ReadExactlyAsync(7));
    }

    protected static int CountOf(Balancer balancer, string reason) => balancer.EndReasons.Count(ended => ended == reason);

    protected static int TunnelsOf(Balancer balancer, string backend)
        => balancer.Registry.Current.Pools.Single().Backends.Single(known => known.Name == backend).ActiveTunnels;
}
