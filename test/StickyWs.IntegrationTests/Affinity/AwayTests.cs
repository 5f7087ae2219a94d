using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The backend that has the client's state is down: unreachable before anything has noticed, or known to be unhealthy.</summary>
public sealed class AwayTests : AffinityTest
{
    private const string Rules = "Pools:chat:Affinity:Rules:";
    private static readonly string Key = RandomKey();

    /// <summary>Every lane, plain requests among them (none), each with a backend that was noticed to be down and one that was not.</summary>
    public static MatrixTheoryData<Lane?, bool> WaysAndNotice { get; } = new(Ways, [true, false]);

    public static TheoryData<Lane?> EveryWay { get; } = new(Ways);

    public static MatrixTheoryData<Lane?, bool> FewWaysAndNotice { get; } = new([null, Lane.Raw, Lane.KeptAlive], [true, false]);

    [Theory]
    [MemberData(nameof(WaysAndNotice))]
    public async Task A_client_is_moved_at_once_and_the_new_backend_is_told_whose_it_was(Lane? lane, bool isNoticed)
    {
        var backends = await StartStatefulAsync(3);
        var balancer = await StartAsync(lane, Settings(backends, isNoticed).With(Rules + "0:Cookie", ""));
        using var affinity = CountAffinity(balancer);
        var first = await AskAsync(balancer, lane);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        var pin = old.Last["StickyWs-Pin"];
        await GoAsync(old, isNoticed, balancer);

        var moved = await AskAsync(balancer, lane, Sends(CookieOf(first)));

        AssertAnswered(lane, moved);
        var now = backends.Single(backend => backend.Name == BackendOf(moved));
        Assert.NotEqual(old, now);
        Assert.Equal([old.Name, pin], [now.Last["StickyWs-Moved-From"], now.Last["StickyWs-Pin"]]);
        for (var i = 0; i < 5; i++)
        {
            var again = await AskAsync(balancer, lane, Sends(CookieOf(moved)));
            AssertAnswered(lane, again);
            Assert.Equal(now.Name, BackendOf(again));
            Assert.Null(CookieOf(again));
            Assert.False(now.Last.ContainsKey("StickyWs-Moved-From"));
            Assert.Equal(pin, now.Last["StickyWs-Pin"]);
        }

        Assert.Equal(["new", "moved", "kept", "kept", "kept", "kept", "kept"], OutcomesOf(affinity));
    }

    [Theory]
    [MemberData(nameof(WaysAndNotice))]
    public async Task A_key_that_is_hashed_is_moved_to_the_same_backend_by_every_instance(Lane? lane, bool isNoticed)
    {
        var backends = await StartStatefulAsync(4);
        LiveSettings ByUser() => Settings(backends, isNoticed).With(Rules + "0:Header:Name", "X-User");
        var instances = new[] { await StartAsync(lane, ByUser()), await StartAsync(lane, ByUser()) };
        var keys = Enumerable.Range(0, 12).Select(i => $"X-User: {i}\r\n").ToArray();
        var before = new Dictionary<string, string?>();
        foreach (var key in keys) before[key] = BackendOf(await AskAsync(instances[0], lane, key));
        foreach (var key in keys) Assert.Equal(before[key], BackendOf(await AskAsync(instances[1], lane, key)));
        var old = backends.First(backend => before.ContainsValue(backend.Name));
        await GoAsync(old, isNoticed, instances);

        foreach (var key in keys)
        {
            var moved = await AskAsync(instances[0], lane, key);
            AssertAnswered(lane, moved);
            var now = backends.Single(backend => backend.Name == BackendOf(moved));
            if (before[key] == old.Name) Assert.Equal(old.Name, now.Last["StickyWs-Moved-From"]);
            else Assert.Equal(before[key], now.Name);
            Assert.Equal(now.Name, BackendOf(await AskAsync(instances[0], lane, key)));
            Assert.False(now.Last.ContainsKey("StickyWs-Moved-From"));
            Assert.Equal(now.Name, BackendOf(await AskAsync(instances[1], lane, key)));
        }
    }

    [Theory]
    [MemberData(nameof(WaysAndNotice))]
    public async Task A_pool_that_holds_its_clients_says_503_and_when_to_come_again(Lane? lane, bool isNoticed)
    {
        var backends = await StartStatefulAsync(3);
        var settings = Settings(backends, isNoticed).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:HoldFor", "01:00:00")
            .With("Pools:chat:Affinity:HoldWhenRefused", "true").With("Pools:chat:RetryAfter", "00:00:07");
        var balancer = await StartAsync(lane, settings);
        using var affinity = CountAffinity(balancer);
        var first = await AskAsync(balancer, lane);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        await GoAsync(old, isNoticed, balancer);

        for (var i = 0; i < 3; i++)
        {
            var held = await AskAsync(balancer, lane, Sends(CookieOf(first)));
            Assert.Equal(503, HttpHead.Status(held));
            Assert.InRange(HttpHead.RetryAfter(held), 7, 14);
        }

        AssertAnswered(lane, await AskAsync(balancer, lane));
        await old.ReturnAsync();
        if (isNoticed) await Wait.UntilAsync(() => StateOf(balancer, old.Name) == BackendState.Healthy);
        var served = await AskAsync(balancer, lane, Sends(CookieOf(first)));

        AssertAnswered(lane, served);
        Assert.Equal(old.Name, BackendOf(served));
        Assert.False(old.Last.ContainsKey("StickyWs-Moved-From"));
        Assert.Equal(["new", "held", "held", "held", "new", "kept"], OutcomesOf(affinity));
    }

    // Nobody listens there any more: the process is gone, and its clients' state with it.
    [Theory]
    [MemberData(nameof(WaysAndNotice))]
    public async Task A_backend_that_refuses_connections_is_not_waited_for(Lane? lane, bool isNoticed)
    {
        var backends = await StartStatefulAsync(3);
        var balancer = await StartAsync(lane, Settings(backends, isNoticed).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:HoldFor", "01:00:00"));
        var first = await AskAsync(balancer, lane);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        await GoAsync(old, isNoticed, balancer);

        var answer = await AskAsync(balancer, lane, Sends(CookieOf(first)));

        AssertAnswered(lane, answer);
        Assert.Equal(old.Name, backends.Single(backend => backend.Name == BackendOf(answer)).Last["StickyWs-Moved-From"]);
    }

    [Theory]
    [MemberData(nameof(FewWaysAndNotice))]
    public async Task A_client_that_waited_long_enough_is_moved(Lane? lane, bool isNoticed)
    {
        var backends = await StartStatefulAsync(3);
        var balancer = await StartAsync(lane,
            Settings(backends, isNoticed).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:HoldFor", "00:00:01")
            .With("Pools:chat:Affinity:HoldWhenRefused", "true"));
        var first = await AskAsync(balancer, lane);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        await GoAsync(old, isNoticed, balancer);

        var inTime = Wait.Token();
        string answer;
        do
        {
            inTime.ThrowIfCancellationRequested();
            answer = await AskAsync(balancer, lane, Sends(CookieOf(first)));
        }
        while (HttpHead.Status(answer) == 503);

        AssertAnswered(lane, answer);
        Assert.NotEqual(old.Name, BackendOf(answer));
        Assert.Equal(old.Name, backends.Single(backend => backend.Name == BackendOf(answer)).Last["StickyWs-Moved-From"]);
        Assert.Equal(BackendOf(answer), BackendOf(await AskAsync(balancer, lane, Sends(CookieOf(answer)))));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_tunnel_that_outlives_the_move_of_its_key_does_not_take_it_back(Lane lane)
    {
        var backends = await StartStatefulAsync(2);
        var balancer = Start(lane, Settings(backends, isNoticed: false).With(Rules + "0:Header:Name", "X-User"));
        await using var client = await balancer.ConnectAsync(lane);
        var old = BackendOf(await client.AskAsync(HttpHead.Handshake(headers: "X-User: me\r\n")))!;
        var other = backends.Single(backend => backend.Name != old);
        var backend = balancer.Registry.Current.Pools.Single().Backends.Single(backend => backend.Name == old);
        balancer.Registry.Report(backend, BackendState.Unhealthy, "the test says so");
        Assert.Equal(other.Name, await ReachAsync(balancer, lane, "X-User: me\r\n"));
        Assert.Equal(old, other.Last["StickyWs-Moved-From"]);
        await Wait.UntilAsync(() => balancer.OpenTunnels == 1);

        client.Reset();
        await Wait.UntilAsync(() => balancer.OpenTunnels == 0);

        Assert.Equal(other.Name, await ReachAsync(balancer, lane, "X-User: me\r\n"));
        Assert.False(other.Last.ContainsKey("StickyWs-Moved-From"));
    }

    private static void AssertAnswered(Lane? lane, string answer) => Assert.Equal(lane is null ? 200 : 101, HttpHead.Status(answer));

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task A_backend_that_is_removed_is_not_waited_for(Lane? lane)
    {
        var backends = await StartStatefulAsync(3);
        var balancer = await StartAsync(lane,
            Settings(backends, isNoticed: false).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:HoldFor", "01:00:00"));
        var first = await AskAsync(balancer, lane);
        var old = backends.Single(backend => backend.Name == BackendOf(first));

        balancer.Settings.Change(data => data.Remove($"StickyWs:Pools:chat:Backends:{old.Name}:Address"));
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Backends.Length == 2);
        var moved = await AskAsync(balancer, lane, Sends(CookieOf(first)));

        AssertAnswered(lane, moved);
        var now = backends.Single(backend => backend.Name == BackendOf(moved));
        Assert.Equal(old.Name, now.Last["StickyWs-Moved-From"]);
        Assert.Equal(now.Name, BackendOf(await AskAsync(balancer, lane, Sends(CookieOf(moved)))));
    }

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task A_backend_that_closes_without_an_answer_is_away_too(Lane? lane)
    {
        var isWell = true;
        await using var falling = RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            if (isWell)
                await wire.WriteAsync(lane is null ? "HTTP/1.1 200 OK\r\nX-Backend: a\r\nConnection: close\r\n\r\n"
                    : HttpHead.SwitchingProtocols(head, "X-Backend: a\r\n"));
            await wire.FinishAsync();
        });
        var other = Owned(await StatefulBackend.StartAsync("b"));
        LiveSettings Falling(string holdFor) => Pool(falling.Address, other.Address)
            .With("Pools:chat:Health:Passive:Enabled", "false").With(Rules + "0:Cookie:Keys:0", Key).With("Pools:chat:Affinity:HoldFor", holdFor);
        var moving = await StartAsync(lane, Falling("00:00:00"));
        var holding = await StartAsync(lane, Falling("01:00:00"));
        var first = await AskAsync(moving, lane);
        Assert.Equal("a", BackendOf(first));

        isWell = false;
        var moved = await AskAsync(moving, lane, Sends(CookieOf(first)));
        var held = await AskAsync(holding, lane, Sends(CookieOf(first)));

        AssertAnswered(lane, moved);
        Assert.Equal(["b", "a"], [BackendOf(moved), other.Last["StickyWs-Moved-From"]]);
        Assert.Equal("b", BackendOf(await AskAsync(moving, lane, Sends(CookieOf(moved)))));
        Assert.Equal(503, HttpHead.Status(held));
        Assert.NotNull(HttpHead.Value(held, "Retry-After"));
    }

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task The_only_backend_of_a_pool_is_waited_for_when_it_closes_without_an_answer(Lane? lane)
    {
        var isWell = true;
        await using var falling = RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            if (isWell) await wire.WriteAsync(lane is null ? "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" : HttpHead.SwitchingProtocols(head));
            await wire.FinishAsync();
        });
        var settings = Pool(falling.Address).With("Pools:chat:Health:Passive:Enabled", "false").With(Rules + "0:Cookie", "");
        var balancer = await StartAsync(lane, settings.With("Pools:chat:Affinity:HoldFor", "01:00:00").With("Pools:chat:RetryAfter", "00:00:07"));
        var first = await AskAsync(balancer, lane);

        isWell = false;
        var held = await AskAsync(balancer, lane, Sends(CookieOf(first)));
        var stranger = await AskAsync(balancer, lane);

        Assert.Equal(503, HttpHead.Status(held));
        Assert.InRange(HttpHead.RetryAfter(held), 7, 14);
        Assert.Equal(502, HttpHead.Status(stranger));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_with_a_body_is_moved_whole(bool isNoticed)
    {
        var backends = await StartStatefulAsync(3, async context =>
        {
            if (!HttpMethods.IsPost(context.Request.Method)) return;
            using var reader = new StreamReader(context.Request.Body);
            context.Response.Headers["X-Echo"] = await reader.ReadToEndAsync();
        });
        var balancer = await StartAsync(null, Settings(backends, isNoticed).With(Rules + "0:Cookie", ""));
        var first = await GetAsync(balancer);
        await GoAsync(backends.Single(backend => backend.Name == BackendOf(first)), isNoticed, balancer);
        await using var client = await RawClient.ConnectAsync(balancer.Address);

        var moved = await client.AskAsync($"POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: 5\r\n{Sends(CookieOf(first))}\r\nwhole");

        Assert.Equal(200, HttpHead.Status(moved));
        Assert.Equal("whole", HttpHead.Value(moved, "X-Echo"));
        Assert.Equal(BackendOf(moved), BackendOf(await GetAsync(balancer, Sends(CookieOf(moved)))));
    }

    // A backend that is probed gets no work before its first good probe.
    private async Task<Balancer> StartAsync(Lane? lane, LiveSettings settings)
    {
        var balancer = Start(lane ?? Lane.Raw, settings);
        var pool = balancer.Registry.Current.Pools.Single();
        if (pool.Options.Health.Probe is not null) await Wait.UntilAsync(() => pool.Backends.All(backend => backend.State == BackendState.Healthy));
        return balancer;
    }

    // Without notice nothing looks but who is sent there, and nothing is concluded from what happens to them.
    private static LiveSettings Settings(StatefulBackend[] backends, bool isNoticed)
    {
        var settings = PoolOf(backends).With("Pools:chat:Health:Passive:Enabled", "false");
        return !isNoticed ? settings : settings.With("Pools:chat:Health:Tcp:Interval", "00:00:00.05").With("Pools:chat:Health:Tcp:Fall", "1")
            .With("Pools:chat:Health:Tcp:Rise", "1");
    }

    private static async Task GoAsync(StatefulBackend backend, bool isNoticed, params Balancer[] balancers)
    {
        await backend.GoAsync();
        if (isNoticed) await Wait.UntilAsync(() => balancers.All(balancer => StateOf(balancer, backend.Name) == BackendState.Unhealthy));
    }
}
