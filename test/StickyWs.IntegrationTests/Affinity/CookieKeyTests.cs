using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class CookieKeyTests : AffinityTest
{
    private const string Keys = "Pools:chat:Affinity:Rules:0:Cookie:Keys:";

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_key_is_rotated_by_writing_a_new_one_in_front(Lane lane)
    {
        var (before, after) = (RandomKey(), RandomKey());
        var backends = await StartStatefulAsync(3);
        var old = Start(lane, PoolOf(backends).With(Keys + "0", before));
        var both = Start(lane, PoolOf(backends).With(Keys + "0", after).With(Keys + "1", before));
        var fresh = Start(lane, PoolOf(backends).With(Keys + "0", after));

        for (var i = 0; i < 6; i++)
        {
            var issued = await ShakeAsync(old, lane);
            var taken = await ShakeAsync(both, lane, Sends(CookieOf(issued)));
            Assert.Equal(BackendOf(issued), BackendOf(taken));
            Assert.Equal(BackendOf(issued), await ReachAsync(fresh, lane, Sends(CookieOf(taken)))); // So that the old key can go some day.
        }

        var renewed = await ShakeAsync(both, lane);
        Assert.Equal(BackendOf(renewed), await ReachAsync(fresh, lane, Sends(CookieOf(renewed))));
        Assert.NotNull(CookieOf(await ShakeAsync(old, lane, Sends(CookieOf(renewed)))));

        // One that has to be issued anew, since its backend is gone, is by the new key.
        var moving = await ShakeAsync(old, lane);
        await backends.Single(backend => backend.Name == BackendOf(moving)).GoAsync();
        var moved = await ShakeAsync(both, lane, Sends(CookieOf(moving)));
        Assert.Equal(BackendOf(moved), await ReachAsync(fresh, lane, Sends(CookieOf(moved))));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Without_keys_one_warning_says_so_and_it_works_within_one_instance(Lane lane)
    {
        var backends = await StartEchoesAsync(3);
        LiveSettings Settings() => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Cookie", "");
        var (one, other) = (Start(lane, Settings()), Start(lane, Settings()));

        // The first requests come at the same time.
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => ReachAsync(one, lane))));
        for (var i = 0; i < 6; i++)
        {
            var issued = await ShakeAsync(one, lane);
            Assert.Equal(BackendOf(issued), await ReachAsync(one, lane, Sends(CookieOf(issued))));
            Assert.NotNull(CookieOf(await ShakeAsync(other, lane, Sends(CookieOf(issued)))));
        }

        one.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Weight"] = "2");
        var later = await ShakeAsync(one, lane);
        Assert.Equal(BackendOf(later), await ReachAsync(one, lane, Sends(CookieOf(later))));
        Assert.All([one, other], instance => Assert.Single(instance.Log.Lines, line => line is { Level: LogLevel.Warning, Event: "CookieKeysEphemeral" }));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Without_keys_a_key_ring_of_Data_Protection_that_instances_share_serves(Lane lane)
    {
        var ring = Directory.CreateTempSubdirectory("stickyws-ring");
        try
        {
            var backends = await StartEchoesAsync(3);
            Balancer Instance() => Start(
                lane,
                PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Cookie", ""),
                services => services.AddDataProtection().SetApplicationName("chat").PersistKeysToFileSystem(ring));
            var first = Instance();
            var issued = new List<string>();
            for (var i = 0; i < 6; i++) issued.Add(await ShakeAsync(first, lane));
            var second = Instance();

            foreach (var answer in issued.AsEnumerable().Reverse())
            {
                var taken = await ShakeAsync(second, lane, Sends(CookieOf(answer)));
                Assert.Equal(BackendOf(answer), BackendOf(taken));
                Assert.Null(CookieOf(taken));
            }

            Assert.All([first, second], instance => Assert.DoesNotContain(instance.Log.Lines, line => line.Event == "CookieKeysEphemeral"));
        }
        finally
        {
            ring.Delete(recursive: true);
        }
    }
}
