using System.Net;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Http1;
using StickyWs.Pinning;
using StickyWs.TestKit;

namespace StickyWs.Benchmarks.Micro;

/// <summary>
/// One decision of the raw lane, from the head of a known client to the leased backend. The baseline is a pool without rules; what a rule may allocate beyond
/// it is the claim, which holds the key.
/// </summary>
public class AffinityBenchmarks
{
    private const string Token = "bXlDb25uZWN0aW9uVG9rZW4";
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly HeadLimits Limits = new(32 * 1024, 8 * 1024, 100);

    private ServiceProvider _services = null!;
    private Dispatcher _dispatcher = null!;
    private RequestHead _head = null!;

    public enum Rule
    {
        None,
        Cookie,
        Header,
        Query,
        ClientAddress,
        SignalR,
    }

    [ParamsAllValues]
    public Rule By { get; set; }

    [GlobalSetup]
    public async Task SetUpAsync()
    {
        _services = new ServiceCollection().AddLogging().AddStickyWebSocketBalancing(_ => { }).BuildServiceProvider();
        _services.GetRequiredService<BackendRegistry>().Apply(Options());
        _dispatcher = _services.GetRequiredService<Dispatcher>();
        _head = Head("");
        if (By == Rule.Cookie) _head = Head($"Cookie: theme=dark; {await CookieAsync()}\r\n");
        if (By == Rule.SignalR) await LearnAsync();
        if ((await DecideAsync()).Reason != (By == Rule.None ? DecisionReason.Policy : DecisionReason.Affinity))
            throw new InvalidOperationException("Not by the rule.");
    }

    [GlobalCleanup]
    public void CleanUp() => _services.Dispose();

    [Benchmark]
    public async ValueTask<object> Decide() => await DecideAsync();

    private async ValueTask<Decision> DecideAsync()
    {
        var decision = await _dispatcher.DecideAsync(_head, IPAddress.Loopback, isHttps: false) ?? throw new InvalidOperationException("No pool.");
        if (!decision.TryNext(out var lease)) throw new InvalidOperationException("No backend.");
        lease.Dispose();
        return decision;
    }

    private static RequestHead Head(string cookie)
    {
        var text = Encoding.ASCII.GetString(Heads.WebSocket).Replace("/chat?room=42", $"/chat?room=42&id={Token}", StringComparison.Ordinal);
        HandshakeParser.Parse(Encoding.ASCII.GetBytes(text[..^2] + "X-User: 4711\r\n" + cookie + "\r\n"), Limits, out var head);
        return head ?? throw new InvalidOperationException("Not a handshake.");
    }

    private StickyWsOptions Options()
    {
        var pool = new PoolOptions();
        foreach (var name in new[] { "a", "b", "c" }) pool.Backends[name] = new BackendOptions { Address = "http://127.0.0.1:5000" };
        if (By != Rule.None) pool.Affinity.Rules.Add(RuleOptions());
        return new StickyWsOptions { Pools = { ["chat"] = pool } };
    }

    private AffinityRuleOptions RuleOptions() => By switch
    {
        Rule.Cookie => new() { Cookie = new() { Keys = { Key } } },
        Rule.Header => new() { Header = new() { Name = "X-User" } },
        Rule.Query => new() { Query = new() { Name = "room" } },
        Rule.ClientAddress => new() { ClientAddress = new() },
        _ => new() { SignalR = new() },
    };

    private async Task<string> CookieAsync() => (await (await DecideAsync()).SettleAsync(ResponseHead())).SetCookie!.Split(';')[0];

    private async Task LearnAsync()
    {
        var rule = new SignalRRule("chat");
        if (!rule.TryLearn(Encoding.ASCII.GetBytes($$"""{"connectionToken":"{{Token}}"}"""), out var key)) throw new InvalidOperationException("Not learnt.");
        await _services.GetRequiredService<Pins>().SaveAsync(key, "b", TimeSpan.FromHours(1));
    }

    private static ResponseHead ResponseHead()
    {
        Http1.ResponseHead.TryParse("HTTP/1.1 200 OK\r\n\r\n"u8, out var head);
        return head!;
    }
}
