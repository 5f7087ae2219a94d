using System.Text;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>Which rule decides, what backend and client are told, and what is learnt.</summary>
public sealed class ClaimTests
{
    private const string Token = "dGhpc19pc19hX3Rva2Vu";

    [Fact]
    public void Decide_PoolWithoutRules_ClaimsNothing()
    {
        var decision = new StickyRig(_ => { }).Rig.Decide(DispatchRig.Head())!;

        Assert.True(decision.TryNext(out var lease));
        Assert.False(decision.IsSticky);
        Assert.False(decision.AwaitsBody);
        Assert.Equal(default, decision.Notice);
        lease.Dispose();
    }

    [Fact]
    public async Task Decide_SeveralRules_GoesByTheFirstThatKnowsTheClient()
    {
        var rig = Ruled(Signal(), StickyRig.Rule(Way.Hash));
        var byHash = await new StickyClient(rig).VisitAsync();
        Assert.Equal(DecisionReason.Affinity, byHash.Reason);

        // Another than the one that the hash leads to.
        var other = byHash.Backend == "a" ? "b" : "a";
        await LearnAsync(rig, "/hub/negotiate", $$"""{"connectionToken":"{{Token}}"}""", other);
        var client = new StickyClient(rig);

        Assert.Equal(other, (await client.VisitAsync($"/hub?id={Token}")).Backend);
        Assert.Equal(byHash.Backend, (await client.VisitAsync("/hub?id=5")).Backend);
        Assert.Equal(byHash.Backend, (await client.VisitAsync("/hub?id=YW5vdGhlcl90b2tlbl9o")).Backend);
    }

    [Fact]
    public async Task Decide_CookieBeforeHash_FollowsTheCookie()
    {
        var rig = Ruled(StickyRig.Rule(Way.Cookie), StickyRig.Rule(Way.Hash));
        var byHash = (await new StickyClient(rig).VisitAsync()).Backend!;
        var client = new StickyClient(rig);
        rig.Report(byHash, BackendState.Unhealthy);
        var elsewhere = await client.VisitAsync();
        rig.Report(byHash, BackendState.Healthy);

        var visit = await client.VisitAsync();

        Assert.Equal((elsewhere.Backend, DecisionReason.Affinity), (visit.Backend, visit.Reason));
        Assert.NotEqual(byHash, visit.Backend);
    }

    [Fact]
    public async Task Decide_HashBeforeCookie_FollowsTheHashAndTheCookieIsWhoItIs()
    {
        var rig = Ruled(StickyRig.Rule(Way.Hash), StickyRig.Rule(Way.Cookie));
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        Assert.NotNull(first.Marks.SetCookie);
        rig.Report(first.Backend!, BackendState.Unhealthy);

        var moved = await client.VisitAsync();

        Assert.Null(moved.Marks.SetCookie);
        Assert.Equal(first.Notice.Pin, moved.Notice.Pin);
        Assert.Equal(first.Backend, moved.Notice.MovedFrom);
    }

    [Fact]
    public async Task Decide_ForgedCookie_IsANewClientWithACookieOfItsOwn()
    {
        var rig = new StickyRig(Way.Cookie);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        client.Take("StickyWs=" + new string('A', 80));

        var visit = await client.VisitAsync();

        Assert.Equal(DecisionReason.Policy, visit.Reason);
        Assert.NotNull(visit.Marks.SetCookie);
        Assert.NotEqual(first.Notice.Pin, visit.Notice.Pin);
    }

    [Fact]
    public async Task Decide_CookieOfAnotherPool_IsANewClient()
    {
        var (one, other) = (new StickyRig(Way.Cookie), new StickyRig(Way.Cookie, pool => pool.Affinity.Rules[0].Cookie!.Name = "Other"));
        var client = new StickyClient(one);
        await client.VisitAsync();
        client.Take(client.Cookies.Split("; ").Single(cookie => cookie.StartsWith("StickyWs=", StringComparison.Ordinal))
            .Replace("StickyWs=", "Other=", StringComparison.Ordinal));

        Assert.Equal(DecisionReason.Policy, (await client.At(other).VisitAsync()).Reason);
    }

    [Fact]
    public async Task Decide_MadeUpTokens_WriteNothing()
    {
        var rig = Ruled(Signal(), new AffinityRuleOptions { SocketIO = new SocketIOAffinityOptions() }, StickyRig.Rule(Way.Pin));
        for (var i = 0; i < 500; i++)
        {
            var client = new StickyClient(rig);
            client.Take($"sid=madeup{i}");
            var visit = await client.VisitAsync($"/hub?id={Token}{i}&EIO=4&sid={Token}{i}");
            Assert.Equal(DecisionReason.Policy, visit.Reason);
            Assert.Equal(default, visit.Notice);
        }

        Assert.Equal(0, rig.Rig.Pins.LearntCount);
        Assert.Equal(0, rig.Rig.Pins.HashedCount);
        rig.AssertIdle();
    }

    [Fact]
    public async Task Notice_NewClient_IsItsCookiesPinFromTheFirstTimeOn()
    {
        var client = new StickyClient(new StickyRig(Way.Cookie));

        var (first, second) = (await client.VisitAsync(), await client.VisitAsync());

        Assert.Equal(32, first.Notice.Pin!.Length);
        Assert.Equal(first.Notice, second.Notice);
        Assert.NotEqual(first.Notice.Pin, (await new StickyClient(new StickyRig(Way.Cookie)).VisitAsync()).Notice.Pin);
    }

    [Fact]
    public async Task Notice_LearntPin_IsThereOnceItIsKnown()
    {
        var client = new StickyClient(new StickyRig(Way.Pin));

        Assert.Null((await client.VisitAsync()).Notice.Pin);
        var pin = (await client.VisitAsync()).Notice.Pin;
        Assert.Equal(pin, (await client.VisitAsync()).Notice.Pin);
        Assert.Equal(PinKey.Of(PinKey.Prefix("chat", "learnt cookie", "sid"), "ann-session"u8).ToString(), pin);
    }

    [Fact]
    public async Task Notice_HashedKey_IsThereFromTheFirstTimeOn()
        => Assert.Equal(PinKey.Of(PinKey.Prefix("chat", "header", "X-USER"), "ann"u8).ToString(),
            (await new StickyClient(new StickyRig(Way.Hash)).VisitAsync()).Notice.Pin);

    [Fact]
    public void Notice_BeforeABackendIsGiven_IsNone() => Assert.Equal(default, new StickyRig(Way.Cookie).Rig.Decide(DispatchRig.Head())!.Notice);

    [Fact]
    public async Task Notice_SecondBackendOfOneRequest_SaysWhereTheClientWas()
    {
        var rig = new StickyRig(Way.Cookie);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        var decision = rig.Rig.Decide(DispatchRig.Head(headers: $"Cookie: {client.Cookies}\r\n"))!;

        Assert.True(decision.TryNext(out var lease));
        Assert.Equal(first.Notice, decision.Notice);
        lease.Dispose();
        Assert.True(decision.TryNext(out lease));
        Assert.Equal(first.Notice with { MovedFrom = first.Backend }, decision.Notice);
        lease.Dispose();
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("A-b._~9", "A-b._~9")]
    [InlineData("web 1", "web%201")]
    [InlineData("\u00e9\u540d", "%C3%A9%E5%90%8D")]
    [InlineData("a\r\nX: y", "a%0D%0AX%3A%20y")]
    [InlineData("100%", "100%25")]
    public async Task NoticeAndMarks_NameOfABackend_IsEscaped(string name, string expected)
    {
        Assert.Equal(expected, Claim.HeaderTextOf(name));
        var rig = new StickyRig(Way.Pin, pool =>
        {
            pool.Affinity.RevealBackend = true;
            pool.Backends.Remove("a");
            pool.Backends.Remove("b");
            pool.Backends.Remove("c");
            pool.Backends[name] = new BackendOptions { Address = "http://127.0.0.1:5000" };
            pool.Backends["zz"] = new BackendOptions { Address = "http://127.0.0.1:5001" };
        });
        var client = new StickyClient(rig);
        while ((await client.VisitAsync()).Backend != name) client = new StickyClient(rig, Guid.NewGuid().ToString());
        Assert.Equal(expected, (await client.VisitAsync()).Marks.Backend);
        rig.Report(name, BackendState.Unhealthy);

        Assert.Equal(expected, (await client.VisitAsync()).Notice.MovedFrom);
    }

    [Fact]
    public async Task Marks_CookieThatIsDue_IsIssuedAnewForTheSameBackend()
    {
        var rig = new StickyRig(Way.Cookie, pool => pool.Affinity.Rules[0].Cookie!.Lifetime = TimeSpan.FromHours(1));
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        rig.Time.Advance(TimeSpan.FromMinutes(29));
        Assert.Null((await client.VisitAsync()).Marks.SetCookie);

        rig.Time.Advance(TimeSpan.FromMinutes(2));
        var renewed = await client.VisitAsync();
        Assert.NotNull(renewed.Marks.SetCookie);
        Assert.Equal((first.Backend, first.Notice), (renewed.Backend, renewed.Notice));

        rig.Time.Advance(TimeSpan.FromMinutes(45));
        var later = await client.VisitAsync();
        Assert.Equal((first.Backend, first.Notice), (later.Backend, later.Notice));

        rig.Time.Advance(TimeSpan.FromHours(2));
        Assert.NotEqual(first.Notice.Pin, (await client.VisitAsync()).Notice.Pin);
    }

    [Fact]
    public async Task Marks_BackendsName_IsShownByOptionAlone()
    {
        Assert.Null((await new StickyClient(new StickyRig(Way.Cookie)).VisitAsync()).Marks.Backend);

        var shown = await new StickyClient(new StickyRig(Way.Cookie, pool => pool.Affinity.RevealBackend = true)).VisitAsync();

        Assert.Equal(shown.Backend, shown.Marks.Backend);
    }

    [Theory]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Marks_PoolWithoutACookieRule_SetNone(Way way) => Assert.Equal(default, (await new StickyClient(new StickyRig(way)).VisitAsync()).Marks);

    [Fact]
    public async Task Marks_HttpsRequest_HasASecureCookie()
    {
        var decision = new StickyRig(Way.Cookie).Rig.Decide(Views.Request(isHttps: true))!;
        Assert.True(decision.TryNext(out var lease));

        var marks = await decision.SettleAsync(Views.Answer());

        Assert.Contains("; secure", marks.SetCookie, StringComparison.Ordinal);
        lease.Dispose();
    }

    [Fact]
    public async Task Learn_SignalRNegotiateAndItsHandshake_AreAtOneBackend()
    {
        var rig = Ruled(Signal());
        for (var i = 0; i < 9; i++)
        {
            var token = $"{Token}{i}";
            var backend = await LearnAsync(
                rig, "/hub/negotiate?negotiateVersion=1", $$"""{"negotiateVersion":1,"connectionId":"{{Token}}xx","connectionToken":"{{token}}"}""");

            Assert.Equal(backend, (await new StickyClient(rig).VisitAsync($"/hub?id={token}")).Backend);
            Assert.Equal(backend, Given(rig, Views.Request($"/hub?id={token}", method: "POST")));
        }

        rig.AssertIdle();
    }

    [Fact]
    public async Task Learn_SocketIOPollingAndItsUpgrade_AreAtOneBackend()
    {
        var rig = Ruled(new AffinityRuleOptions { SocketIO = new SocketIOAffinityOptions() });
        for (var i = 0; i < 9; i++)
        {
            var sid = $"{Token}{i}";
            var backend = await LearnAsync(rig, "/socket.io/?EIO=4&transport=polling", $$"""0{"sid":"{{sid}}"}""", method: "GET");

            Assert.Equal(backend, Given(rig, Views.Request($"/socket.io/?EIO=4&transport=polling&sid={sid}", method: "POST")));
            Assert.Equal(backend, (await new StickyClient(rig).VisitAsync($"/socket.io/?EIO=4&transport=websocket&sid={sid}")).Backend);
        }
    }

    [Fact]
    public async Task Learn_BodyWithoutAToken_LearnsNothing()
    {
        var rig = Ruled(Signal());
        await LearnAsync(rig, "/hub/negotiate", """{"url":"https://elsewhere/","accessToken":"x"}""");

        Assert.Equal(0, rig.Rig.Pins.LearntCount);
    }

    [Fact]
    public async Task Learn_CookieThatIsDeletedAndSetAnew_FollowsTheNewOne()
    {
        var rig = new StickyRig(Way.Pin);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        await client.VisitAsync(answer: "Set-Cookie: sid=; Max-Age=0\r\nSet-Cookie: sid=fresh; Path=/");
        Assert.Equal("sid=fresh", client.Cookies);

        var visit = await client.VisitAsync();

        Assert.Equal((first.Backend, DecisionReason.Affinity), (visit.Backend, visit.Reason));
    }

    [Fact]
    public async Task Learn_TwoRulesFromOneAnswer_BothOutliveALongTunnel()
    {
        var rig = Ruled(StickyRig.Rule(Way.Pin), new AffinityRuleOptions { Learn = new LearnAffinityOptions { Header = "X-Session" } });
        var decision = rig.Rig.Decide(DispatchRig.Head())!;
        Assert.True(decision.TryNext(out var lease));
        await decision.SettleAsync(Views.Answer("Set-Cookie: sid=cookie\r\nX-Session: header"));
        rig.Time.Advance(TimeSpan.FromHours(5));
        lease.Dispose();

        foreach (var brought in (string[])["Cookie: sid=cookie", "X-Session: header"])
        {
            var again = rig.Rig.Decide(DispatchRig.Head(headers: brought + "\r\n"))!;
            Assert.True(again.TryNext(out var next));
            Assert.Equal((lease.Backend, DecisionReason.Affinity), (next.Backend, again.Reason));
            next.Dispose();
        }
    }

    [Fact]
    public async Task Metric_Visits_AreCountedByWhatBecameOfThem()
    {
        var rig = new StickyRig(Way.Cookie, pool => pool.Affinity.HoldFor = TimeSpan.FromSeconds(30));
        using var collector = new MetricCollector<long>(rig.Rig.Metrics.Meter.Scope, StickyWsMetrics.MeterName, "stickyws.affinity");
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        await client.VisitAsync();
        rig.Report(first.Backend!, BackendState.Unhealthy);
        await client.VisitAsync();
        rig.Time.Advance(TimeSpan.FromSeconds(30));
        await client.VisitAsync();

        Assert.Equal(["new", "kept", "held", "moved"], collector.GetMeasurementSnapshot().Select(measured => measured.Tags["stickyws.affinity.outcome"]));
        Assert.All(collector.GetMeasurementSnapshot(), measured => Assert.Equal("chat", measured.Tags["stickyws.pool"]));
    }

    [Fact]
    public async Task Decide_RulesThatWereChangedLive_GoByTheNewOnes()
    {
        var rig = new StickyRig(Way.Pin);
        await new StickyClient(rig).VisitAsync();

        rig.Apply(pool =>
        {
            pool.Affinity.Rules.Clear();
            pool.Affinity.Rules.Add(StickyRig.Rule(Way.Cookie));
        });

        Assert.NotNull((await new StickyClient(rig).VisitAsync()).Marks.SetCookie);
    }

    // A handshake's way from its head to its backend is hot: what the claim and the decision are, and nothing on top.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Decide_KnownClientInTheSniffedLane_AllocatesClaimAndDecisionAlone(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        await client.VisitAsync();
        var head = DispatchRig.Head("/", $"X-User: ann\r\nCookie: {client.Cookies}\r\n");
        var plain = new StickyRig(_ => { });
        var set = new RuleSet("chat", rig.Pool.Options.Affinity,
            new AffinityServices(rig.Registry, rig.Rig.Pins, new CookieSeals(null, rig.Rig.CookieLog), rig.Rig.Metrics, rig.Time));

        var claim = Measured(() => GC.KeepAlive(new Claim(set, isHttps: false, null)));
        var without = Measured(() => plain.Rig.Decide(head)!.TryNext(out _));
        var with = Measured(() => rig.Rig.Decide(head)!.TryNext(out _));

        Assert.Equal(without + claim, with);

        static long Measured(Action action)
        {
            const int Times = 100;
            for (var i = 0; i < Times; i++) action();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Times; i++) action();
            return (GC.GetAllocatedBytesForCurrentThread() - before) / Times;
        }
    }

    private static AffinityRuleOptions Signal() => new() { SignalR = new SignalRAffinityOptions() };

    private static StickyRig Ruled(params AffinityRuleOptions[] rules) => new(pool =>
    {
        foreach (var rule in rules) pool.Affinity.Rules.Add(rule);
    });

    private static string Given(StickyRig rig, Microsoft.AspNetCore.Http.HttpRequest request)
    {
        Assert.True(rig.Rig.Decide(request)!.TryNext(out var lease));
        lease.Dispose();
        return lease.Backend.Name;
    }

    // A plain request whose answer's body is learnt from; with a name, at that backend.
    private static async Task<string> LearnAsync(StickyRig rig, string target, string body, string? at = null, string method = "POST")
    {
        while (true)
        {
            var decision = rig.Rig.Decide(Views.Request(target, method: method))!;
            Assert.True(decision.AwaitsBody);
            Assert.True(decision.TryNext(out var lease));
            await decision.SettleAsync(Views.Answer(status: 200));
            if (at is null || lease.Backend.Name == at) await decision.LearnAsync(Encoding.UTF8.GetBytes(body));
            lease.Dispose();
            if (at is null || lease.Backend.Name == at) return lease.Backend.Name;
        }
    }
}
