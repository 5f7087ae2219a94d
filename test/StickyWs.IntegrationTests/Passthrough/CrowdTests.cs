using StickyWs.IntegrationTests.Storms;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Passthrough;

public sealed class CrowdTests : PassthroughTest
{
    [Theory]
    [MemberData(nameof(Doors))]
    public async Task No_backend_gets_more_hellos_than_it_takes_until_it_has_answered(Door door)
    {
        await using var backend = new GatedBackend(isTls: true);
        var balancer = Start(door, Passing(AddressOf(backend.Raw)).With("Pools:mail:Backends:a:MaxHandshakes", "2").With("Pools:mail:Queue:Length", "4"));
        var line = Assert.Single(balancer.Registry.Current.Pools).Lines.Handshakes;
        List<RawClient> clients = [];
        for (var i = 0; i < 6; i++)
        {
            var client = await ConnectAsync(balancer);
            await client.WriteAsync(HelloForge.Hello(Name));
            clients.Add(client);
        }

        await Wait.UntilAsync(() => backend.Inside == 2 && line.Count == 4);
        var refused = await ConnectAsync(balancer);
        await refused.WriteAsync(HelloForge.Hello(Name));
        Assert.Equal(Sorry, await refused.ReadTextToEndAsync());
        backend.Open();

        foreach (var client in clients) Assert.Equal("!", await client.ReadTextAsync(1));
        Assert.Equal((2, 6, 6), (backend.Most, backend.Served, balancer.OpenTunnels));
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools[0].Backends[0].ActiveHandshakes == 0); // The client may have read its answer before.
    }
}
