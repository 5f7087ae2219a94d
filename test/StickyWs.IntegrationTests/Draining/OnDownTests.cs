using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Draining;

/// <summary>A backend fails its probes, while its tunnels are as alive as ever.</summary>
public sealed class OnDownTests : DrainingTest
{
    public static TheoryData<Lane, string> LanesAndBehaviors { get; } =
    [
        .. from lane in Enum.GetValues<Lane>() from behavior in new[] { "Goodbye", "Cut" } select new TheoryDataRow<Lane, string>(lane, behavior),
    ];

    [Theory]
    [MemberData(nameof(LanesAndBehaviors))]
    public async Task Its_tunnels_go_and_those_of_others_stay(Lane lane, string behavior)
    {
        var isHealthy = true;
        await using var backend = Probed(() => Volatile.Read(ref isHealthy));
        await using var other = Probed(() => true);
        var balancer = Start(lane, Probing(Pool(backend.Address, other.Address)).With("Pools:chat:OnDown", behavior));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        var (staying, stayingServer) = await OpenTunnelAsync(balancer, lane, other);

        Volatile.Write(ref isHealthy, false);
        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));

        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal(["BackendDown"], balancer.EndReasons);
        await staying.WriteAsync("still");
        Assert.Equal("still", await stayingServer.ReadTextAsync(5));
        var done = behavior == "Cut" ? "were aborted" : "are told to go within 00:00:00";
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Text == $"Backend chat/a is down: its 1 tunnels {done}"));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Back_in_the_middle_it_serves_on(Lane lane)
    {
        var isHealthy = true;
        await using var backend = Probed(() => Volatile.Read(ref isHealthy));
        await using var other = Probed(() => true);
        var settings = Probing(Pool(backend.Address, other.Address)).With("Pools:chat:OnDown", "Goodbye")
            .With("Pools:chat:Drain:Over", "1.00:00:00").With("Pools:chat:Drain:Deadline", "none");
        var balancer = Start(lane, settings);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        Volatile.Write(ref isHealthy, false);
        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "DownBackendLeft"));
        Volatile.Write(ref isHealthy, true);

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Text == "Tunnels of backend chat/a are no longer told to go: 0 were"));
        await client.WriteAsync("still");
        Assert.Equal("still", await server.ReadTextAsync(5));
    }

    private static LiveSettings Probing(LiveSettings settings) => Impatient(settings)
        .With("Pools:chat:Drain:Over", "00:00:00")
        .With("Pools:chat:Health:Http:Path", "/health")
        .With("Pools:chat:Health:Http:Interval", "00:00:00.1")
        .With("Pools:chat:Health:Http:Fall", "1")
        .With("Pools:chat:Health:Http:Rise", "1");

    private static RawBackend Probed(Func<bool> isHealthy) => ProbedBackend(isHealthy, static (backend, wire) =>
    {
        backend.GiveToTest(wire);
        return Task.CompletedTask;
    });
}
