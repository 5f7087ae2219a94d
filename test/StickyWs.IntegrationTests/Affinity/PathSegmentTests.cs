using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class PathSegmentTests : AffinityTest
{
    [Fact]
    public async Task A_room_in_the_path_has_one_backend_in_every_way_in()
    {
        var backends = await StartEchoesAsync(5);
        var balancers = new Dictionary<Lane, Balancer>();
        foreach (var lane in Lanes.AboveReactors) balancers[lane] = Start(lane, Settings(backends));

        var all = new HashSet<string?>();
        for (var room = 0; room < 30; room++)
        {
            var found = new HashSet<string?>();
            foreach (var lane in Lanes.AboveReactors) found.Add(await ReachAsync(balancers[lane], lane, target: $"/rooms/room-{room}/chat?x={room}"));
            found.Add(BackendOf(await GetAsync(balancers[Lane.Raw], target: $"/rooms/room-{room}/history")));
            found.Add(BackendOf(await GetAsync(balancers[Lane.Portable], target: $"/rooms/room-{room}")));
            all.Add(Assert.Single(found));
        }

        Assert.True(all.Count > 1, "All rooms have one backend.");
    }

    // A path that needs decoding is Kestrel's to read, and then passes the pipeline: as the path does by which the pool is found.
    [Theory]
    [InlineData("/rooms/abc/x", "/rooms/a%62c/x")]
    [InlineData("/rooms/abc/x", "/rooms/./abc/x")]
    [InlineData("/rooms/abc/x", "/other/../rooms/abc/x")]
    [InlineData("/rooms/%C3%A9/x", "/rooms/%c3%a9/y")]
    [InlineData("/rooms/a%20b/x", "/rooms/a%20b?x=/")]
    [InlineData("/rooms/a%2Fb/x", "/rooms/a%2Fb/y")]
    public async Task A_path_that_is_written_otherwise_is_the_same_room(string one, string other)
    {
        var backends = await StartEchoesAsync(5);
        foreach (var lane in new[] { Lane.Raw, Lane.Portable, Lane.KeptAlive })
        {
            var balancer = Start(lane, Settings(backends));
            var expected = await ReachAsync(balancer, lane, target: one);

            Assert.Equal(expected, await ReachAsync(balancer, lane, target: other));
            Assert.Equal(expected, BackendOf(await GetAsync(balancer, target: one)));
            Assert.Equal(expected, BackendOf(await GetAsync(balancer, target: other)));
        }
    }

    [Fact]
    public async Task Who_names_no_room_is_new_and_takes_turns()
    {
        var backends = await StartEchoesAsync(3);
        var balancer = Start(Lane.Raw, Settings(backends));

        var found = new List<string?>();
        foreach (var target in new[] { "/", "/rooms", "/rooms/", "/rooms//x", "/?/rooms/a", "//rooms" })
            found.Add(BackendOf(await GetAsync(balancer, target: target)));

        Assert.Equal(["a", "b", "c", "a", "b"], found.Take(5));
    }

    private static LiveSettings Settings(EchoBackend[] backends) => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:PathSegment:Index", "1");
}
