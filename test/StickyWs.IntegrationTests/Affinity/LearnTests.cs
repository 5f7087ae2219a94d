using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The backends' own sessions: a cookie, or a header that clients send back.</summary>
public sealed class LearnTests : AffinityTest
{
    public static MatrixTheoryData<Lane, bool> LanesAndKinds { get; } = new(Lanes.AboveReactors, [true, false]);

    public static MatrixTheoryData<StoreKind, bool> StoresAndKinds { get; } = new(Enum.GetValues<StoreKind>(), [true, false]);

    [Theory]
    [MemberData(nameof(LanesAndKinds))]
    public async Task A_session_that_a_plain_answer_brought_pins_handshakes_and_requests(Lane lane, bool isCookie)
    {
        var balancer = Start(lane, Settings(await StartSessionsAsync(), isCookie));

        for (var i = 0; i < 6; i++)
        {
            var login = await GetAsync(balancer, target: "/login");
            await AssertPinnedAsync([balancer], lane, login, isCookie);
        }
    }

    [Theory]
    [MemberData(nameof(LanesAndKinds))]
    public async Task A_session_that_a_101_brought_pins_handshakes_and_requests(Lane lane, bool isCookie)
    {
        var balancer = Start(lane, Settings(await StartSessionsAsync(), isCookie));

        for (var i = 0; i < 6; i++)
        {
            var login = await ShakeAsync(balancer, lane, target: "/login");
            Assert.Equal(101, HttpHead.Status(login));
            await AssertPinnedAsync([balancer], lane, login, isCookie);
        }
    }

    [Theory]
    [MemberData(nameof(StoresAndKinds))]
    public async Task Another_instance_knows_it_by_the_shared_store(StoreKind kind, bool isCookie)
    {
        var store = await StartStoreAsync(kind);
        var backends = await StartSessionsAsync();
        var instances = Enumerable.Range(0, 2)
            .Select(_ => Start(Lane.Raw, Settings(backends, isCookie).With("Pins:StoreTimeout", "00:00:05"), store.AddTo)).ToArray();

        for (var i = 0; i < 6; i++)
        {
            var login = i % 2 == 0 ? await GetAsync(instances[0], target: "/login") : await ShakeAsync(instances[0], Lane.Raw, target: "/login");
            await AssertPinnedAsync([instances[1], instances[0]], Lane.Raw, login, isCookie);
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_session_that_no_backend_gave_is_nobodys(Lane lane)
    {
        var balancer = Start(lane, Settings(await StartSessionsAsync(), isCookie: true));

        var names = new List<string?>();
        for (var i = 0; i < 9; i++) names.Add(BackendOf(await ShakeAsync(balancer, lane, Sends("session=made-up-by-the-client"))));

        Assert.All(names.GroupBy(name => name), group => Assert.Equal(3, group.Count()));
    }

    private static async Task AssertPinnedAsync(Balancer[] instances, Lane lane, string login, bool isCookie)
    {
        var headers = isCookie ? Sends($"theme=dark; {CookieOf(login, "session")}") : $"X-Session: {HttpHead.Value(login, "X-Session")}\r\n";
        foreach (var instance in instances)
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(BackendOf(login), await ReachAsync(instance, lane, headers));
                Assert.Equal(BackendOf(login), BackendOf(await GetAsync(instance, headers)));
            }
        }
    }

    private static LiveSettings Settings(StatefulBackend[] backends, bool isCookie)
        => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Learn:" + (isCookie ? "Cookie" : "Header"), isCookie ? "session" : "X-Session");

    private Task<StatefulBackend[]> StartSessionsAsync() => StartStatefulAsync(3, context =>
    {
        if (context.Request.Path != "/login") return Task.CompletedTask;
        var session = Guid.NewGuid().ToString();
        context.Response.Headers["X-Session"] = session;
        context.Response.Headers.Append("Set-Cookie", "other=1");
        context.Response.Headers.Append("Set-Cookie", $"session={session}; Path=/; HttpOnly");
        return Task.CompletedTask;
    });
}
