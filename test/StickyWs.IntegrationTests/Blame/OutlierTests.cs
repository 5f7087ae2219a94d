using System.Net;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Blame;

/// <summary>A backend accepts every handshake, and breaks each tunnel at its first byte.</summary>
public sealed class OutlierTests : BalancerTest
{
    private const int Times = 24;

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Many_clients_see_it_and_it_is_probed_at_once(Lane lane)
    {
        var isHealthy = true;
        var (breaking, good) = (Owned(Breaking(() => Volatile.Read(ref isHealthy))), Owned(await EchoBackend.StartAsync("b")));
        var balancer = Start(lane, Probing(Pool(breaking.Address, good.Address)));
        Volatile.Write(ref isHealthy, false); // The next probe is due in an hour.

        for (var i = 0; i < Times; i++) await UseAsync(balancer, IPAddress.Parse($"127.0.0.{2 + i}"));

        await Wait.UntilAsync(() => StateOf(balancer, "a") == BackendState.Unhealthy);
        Assert.Equal(BackendState.Healthy, StateOf(balancer, "b"));
        Assert.Contains(balancer.Log.Lines, line => line.Event == "BackendSuspected" && line.Text.StartsWith("Backend chat/a ", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Probes_that_pass_keep_it(Lane lane)
    {
        var (breaking, good) = (Owned(Breaking(() => true)), Owned(await EchoBackend.StartAsync("b")));
        var balancer = Start(lane, Probing(Pool(breaking.Address, good.Address)));

        for (var i = 0; i < Times; i++) await UseAsync(balancer, IPAddress.Parse($"127.0.0.{2 + i}"));

        await Wait.UntilAsync(() => Probes(breaking) > 1);
        Assert.Equal(BackendState.Healthy, StateOf(balancer, "a"));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task One_client_alone_asks_for_nothing(Lane lane)
    {
        var (breaking, good) = (Owned(Breaking(() => true)), Owned(await EchoBackend.StartAsync("b")));
        var balancer = Start(lane, Probing(Pool(breaking.Address, good.Address)));

        for (var i = 0; i < 4 * Times; i++) await UseAsync(balancer, IPAddress.Parse("127.0.0.2"));

        await Wait.UntilAsync(() => balancer.EndReasons.Count(reason => reason == "BackendReset") == 2 * Times);
        await balancer.AssertNoLeasesAsync();
        Assert.Equal(1, Probes(breaking));
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "BackendSuspected");
    }

    private static BackendState StateOf(Balancer balancer, string backend)
        => balancer.Registry.Current.Pools.Single().Backends.Single(one => one.Name == backend).State;

    private static int Probes(RawBackend backend) => backend.Heads.Count(head => head.StartsWith("GET /health ", StringComparison.Ordinal));

    // One tunnel, which begins a message; at the good backend the client leaves then.
    private static async Task UseAsync(Balancer balancer, IPAddress address)
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address, socket => socket.Bind(new IPEndPoint(address.MapToIPv6(), 0)));
        var answer = await client.AskAsync(HttpHead.Handshake());
        Assert.Equal(101, HttpHead.Status(answer));
        await client.WriteAsync("\u0082");
        if (HttpHead.Value(answer, "X-Backend") is null) await client.WaitForEndAsync();
    }

    private static LiveSettings Probing(LiveSettings settings) => settings
        .With("Pools:chat:Health:Http:Path", "/health")
        .With("Pools:chat:Health:Http:Interval", "01:00:00")
        .With("Pools:chat:Health:Http:Fall", "1");

    private static RawBackend Breaking(Func<bool> isHealthy) => ProbedBackend(isHealthy, static async (_, wire) =>
    {
        await wire.ReadExactlyAsync(1);
        wire.Reset();
    });
}
