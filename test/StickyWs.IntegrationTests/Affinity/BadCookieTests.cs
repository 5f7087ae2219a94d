using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>Cookies that are none: their clients are new.</summary>
public sealed class BadCookieTests : AffinityTest
{
    private const string Rule = "Pools:chat:Affinity:Rules:0:Cookie";
    private const string Base64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    public static MatrixTheoryData<Lane?, string> Kinds { get; } =
        new([null, Lane.Raw, Lane.Portable, Lane.KeptAlive],
        ["forged", "stale", "of another pool", "of another name", "too long", "cut", "empty", "quoted", "nonsense"]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_client_with_one_is_spread_by_the_policy_and_given_a_good_one(Lane? lane, string kind)
    {
        var backends = await StartEchoesAsync(3);
        var key = RandomKey();
        var balancer = Start(lane ?? Lane.Raw, Settings(backends, key));
        var bad = await BadAsync(backends, key, kind);

        var answers = new List<string>();
        for (var i = 0; i < 30; i++) answers.Add(await AskAsync(balancer, lane, Sends(bad)));

        Assert.All(answers.GroupBy(BackendOf), group => Assert.Equal(10, group.Count()));
        foreach (var answer in answers.Take(3)) Assert.Equal(BackendOf(answer), BackendOf(await AskAsync(balancer, lane, Sends(CookieOf(answer)))));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task Not_one_character_of_a_good_one_can_be_changed(Lane lane)
    {
        var balancer = Start(lane, Settings(await StartEchoesAsync(3), RandomKey()));
        var good = CookieOf(await ShakeAsync(balancer, lane))!;
        var start = good.IndexOf('=', StringComparison.Ordinal) + 1;

        for (var i = start; i < good.Length; i++)
        {
            var changed = good[..i] + Base64Url[Base64Url.IndexOf(good[i], StringComparison.Ordinal) ^ 32] + good[(i + 1)..];
            Assert.NotNull(CookieOf(await AskAsync(balancer, lane, Sends(changed))));
        }

        Assert.Null(CookieOf(await AskAsync(balancer, lane, Sends(good))));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task One_that_is_past_half_of_its_life_is_renewed_and_keeps_its_backend(Lane lane)
    {
        var backends = await StartStatefulAsync(3);
        var key = RandomKey();
        LiveSettings Pool() => PoolOf(backends).With(Rule + ":Keys:0", key).With(Rule + ":Lifetime", "01:00:00");
        var earlier = Start(lane, Pool(), services => services.AddSingleton<TimeProvider>(new ShiftedTime(TimeSpan.FromMinutes(-40))));
        var balancer = Start(lane, Pool());
        var old = await ShakeAsync(earlier, lane);
        var backend = backends.Single(backend => backend.Name == BackendOf(old));
        var pin = backend.Last["StickyWs-Pin"];

        var renewed = await ShakeAsync(balancer, lane, Sends(CookieOf(old)));
        var again = await ShakeAsync(balancer, lane, Sends(CookieOf(renewed)));

        Assert.Equal([backend.Name, backend.Name], [BackendOf(renewed), BackendOf(again)]);
        Assert.Null(CookieOf(again));
        Assert.All(backend.Requests, request => Assert.Equal(pin, request["StickyWs-Pin"]));
    }

    private static LiveSettings Settings(EchoBackend[] backends, string key)
        => PoolOf(backends).With(Rule + ":Keys:0", key).With(Rule + ":Lifetime", "01:00:00");

    /// <summary>Where a backend could be named in it, it names b.</summary>
    private async Task<string> BadAsync(EchoBackend[] backends, string key, string kind)
    {
        var forger = new LiveSettings().WithPool(kind == "of another pool" ? "other" : "chat", backends[1].Address, backends[1].Address);
        var rule = kind == "of another pool" ? Rule.Replace("chat", "other", StringComparison.Ordinal) : Rule;
        forger.With(rule + ":Keys:0", kind == "forged" ? RandomKey() : key).With(rule + ":Lifetime", "01:00:00")
            .With(rule + ":Name", kind == "of another name" ? "Other" : "StickyWs");
        var balancer = Start(Lane.Raw, forger,
            services => services.AddSingleton<TimeProvider>(new ShiftedTime(kind == "stale" ? TimeSpan.FromMinutes(-61) : TimeSpan.Zero)));
        await GetAsync(balancer);
        var cookie = CookieOf(await GetAsync(balancer), kind == "of another name" ? "Other" : "StickyWs")!;
        var value = cookie[(cookie.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return "StickyWs=" + kind switch
        {
            "too long" => value + new string('A', 4000),
            "cut" => value[..^1],
            "empty" => "",
            "quoted" => $"\"{value}\"",
            "nonsense" => "b",
            _ => value,
        };
    }
}
