using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.Pipeline;
using StickyWs.TestKit;

namespace StickyWs.Fuzz;

/// <summary>
/// Affinity, on a handshake and the answer behind it: no exception, the same keys from a head that was sniffed and from a request that Kestrel has parsed, no
/// backend by a cookie that was not issued, and what is learnt from an answer is a key that a request can bring.
/// </summary>
internal sealed class AffinityTarget : IFuzzTarget
{
    private const string Token = "dGhpc19pc19hX3Rva2Vu";
    private static readonly HeadLimits Limits = new(64 * 1024, 16 * 1024, 200);
    private static readonly IPAddress Peer = IPAddress.Parse("10.0.0.9");

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly BackendRegistry _registry = new(NullLogger<BackendRegistry>.Instance, TimeProvider.System);
    private readonly ClaimResolver _claims;
    private readonly HashRule[] _hashRules;
    private readonly PinRule[] _pinRules =
        [new SignalRRule("chat"), new SocketIORule("chat"), new LearntCookieRule("chat", "sid"), new LearntHeaderRule("chat", "X-Session")];
    private readonly HashSet<string> _issued;

    public AffinityTarget()
    {
        _registry.Apply(Options());
        var metrics = new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>());
        var seals = new CookieSeals(null, NullLogger<CookieSeals>.Instance);
        _claims = new ClaimResolver(new AffinityServices(_registry, new Pins(_registry, TimeProvider.System), seals, metrics, TimeProvider.System));
        _hashRules = [new HeaderRule("chat", "X-User"), new QueryRule("chat", "room"), new PathSegmentRule("chat", 0), new PathSegmentRule("chat", 1),
            new ClientAddressRule("chat", _registry, 24, 56)];
        var (keyed, unkeyed) = (Options().Pools["chat"].Affinity.Rules[0].Cookie!, Options().Pools["other"].Affinity.Rules[0].Cookie!);
        string[] issued = [Issue(keyed, "chat"), Issue(unkeyed, "other")];
        _issued = [.. issued];
        Corpus = [.. Seeded(issued)];
    }

    public IReadOnlyList<byte[]> Corpus { get; }

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        ";", "; ", "=", "==", "&", "?", "%", "%00", "%2", "%41", "+", ",", "\"", "\\", "\\u0073", "\\ud800", "{", "}", "[", "]", ":", "\0", "\xFF",
        "\xC3\xA9", "A", "AAAA", "1024",
        "StickyWs=", "sid=", "sid=x; ", "SID=x", "id=", "sid=" + Token, "EIO=4", "room=", "\"sid\":", "\"connectionToken\":", "\"connectionId\":\"", Token,
        "Max-Age=0",
        "Cookie: StickyWs=AAAA", "Cookie: sid=a; sid=b", "Cookie:", "X-User: b", "X-User:", "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-For: 10.0.0.1, [::1]:5", "X-Forwarded-For: ,", "Connection: X-User", "Connection: keep-alive, Cookie", "Connection: X-Forwarded-For",
        "Set-Cookie: sid=; Max-Age=0", "Set-Cookie: sid=z", "X-Session: q");

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var end = input.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var isLearnt = CheckAnswer(input.AsSpan(end + 4));
        HandshakeParser.Parse(input.AsSpan(0, end + 4), Limits, out var head);
        if (head is null || !RequestLine.HasPlainPath(head.Target)) return isLearnt; // Kestrel decodes the path, so it is never sniffed.
        var request = Parsed(head);
        CheckKeys(new RequestView(head, Peer, isHttps: false), new RequestView(request));
        var isKnown = false;
        foreach (var pool in _registry.Current.Pools)
        {
            var sniffed = await _claims.ResolveAsync(pool, new RequestView(head, Peer, isHttps: false));
            var parsed = await _claims.ResolveAsync(pool, new RequestView(request));
            Broken.If((sniffed!.Source, sniffed.First, sniffed.Cookie) != (parsed!.Source, parsed.First, parsed.Cookie), "The claim depends on the way in.");
            CheckClaim(sniffed, head);
            isKnown |= sniffed.Cookie is not null;
        }

        return isKnown && isLearnt;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static StickyWsOptions Options()
    {
        var options = new StickyWsOptions { TrustedProxies = { "10.0.0.0/8" } };
        foreach (var (name, keys) in ((string, string[])[])[("chat", [Key(2), Key(1)]), ("other", [Key(3)])])
        {
            var pool = options.Pools[name] = new PoolOptions
            {
                Backends =
                { ["a"] = new() { Address = "http://127.0.0.1:5000" }, ["b"] = new() { Address = "http://127.0.0.1:5001" } }
            };
            var cookie = new CookieAffinityOptions();
            foreach (var key in keys) cookie.Keys.Add(key);
            pool.Affinity.Rules.Add(new AffinityRuleOptions { Cookie = cookie });
            pool.Affinity.Rules.Add(new AffinityRuleOptions { Learn = new LearnAffinityOptions { Cookie = "sid" } });
        }

        return options;

        static string Key(byte value) => Convert.ToBase64String(Enumerable.Repeat(value, 32).ToArray());
    }

    private static string Issue(CookieAffinityOptions options, string pool)
    {
        var seal = new CookieSeals(null, NullLogger<CookieSeals>.Instance).For(pool, options);
        var cookie = new CookieRule(options, seal, TimeProvider.System).Issue(PinKey.Random(), "a", isHttps: false)!;
        return cookie[9..cookie.IndexOf(';', StringComparison.Ordinal)];
    }

    private static IEnumerable<byte[]> Seeded(string[] issued)
    {
        const string SocketIO = "97:0{\"sid\":\"" + Token + "\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000}2:40";
        yield return Case($"/hub?id={Token}&room=a", [$"Cookie: a=b; StickyWs={issued[0]}; sid=abc", "X-User: ann"],
            ["Set-Cookie: sid=abc; Path=/; HttpOnly"], "");
        yield return Case("/socket.io/?EIO=4&transport=websocket&sid=" + Token, [$"Cookie: StickyWs={issued[1]}"], ["X-Session: s1"], SocketIO);
        yield return Case("/?room=a%20b+c&ROOM=d", [$"cookie: sid=\"q\"\r\nCookie: x=y; StickyWs={issued[0]}", "X-Forwarded-For: 1.2.3.4, 10.0.0.7"],
            ["Set-Cookie: a=b", "Set-Cookie: sid=; Max-Age=0"], SocketIO);
        yield return Case(
            "/hub?id=5", ["X-User: \xE9", "X-Forwarded-For: 2001:db8::1", "X-Forwarded-For: [::1]:80"], [],
            $$"""{"negotiateVersion":1,"connectionId":"{{Token}}","connectionToken":"{{Token}}x","a":{"b":[1,2] } }""");
        yield return Case("/rooms/42//x;y", [], [], "");
        yield return Case("/", ["Cookie: StickyWs=" + new string('A', 80)], [], """{"url":"http://a","accessToken":"b"}""");
        yield return Case("/", [$"Cookie: StickyWs={issued[0][..^4]}; stickyws={issued[0]}", "X-Session: s"], ["Set-Cookie: sid=x"], "");
    }

    private static byte[] Case(string target, string[] headers, string[] answered, string body) =>
    [
        .. Seeds.Head([$"GET {target} HTTP/1.1", "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", .. headers]),
        .. Seeds.Head(["HTTP/1.1 200 OK", .. answered]),
        .. Seeds.Raw(body),
    ];

    private static HttpRequest Parsed(RequestHead head)
    {
        var request = new DefaultHttpContext().Request;
        request.HttpContext.Connection.RemoteIpAddress = Peer;
        request.Path = head.Path;
        var query = Pairs.QueryOf(head.Target);
        if (head.Target.Length > head.Path.Length) request.QueryString = new QueryString("?" + Encoding.ASCII.GetString(query));
        var lines = new List<(string Name, string Value)>();
        var headers = head.ReadHeaders();
        while (headers.Read()) lines.Add((Encoding.ASCII.GetString(headers.Name), Encoding.Latin1.GetString(headers.Value)));
        foreach (var name in lines.GroupBy(line => line.Name, StringComparer.OrdinalIgnoreCase))
            request.Headers[name.Key] = name.Select(line => line.Value).ToArray();
        ConnectionOptions.Strip(request.Headers);
        return request;
    }

    // What was issued, and nothing else, opens; padding and white space between its letters are no part of it.
    private void CheckClaim(Claim claim, RequestHead head)
    {
        if (claim.Cookie is null)
        {
            Broken.If(claim.Source != KeySource.None || claim.First is not null, "A backend was found by nothing.");
            return;
        }

        var isIssued = false;
        Span<byte> text = stackalloc byte[CookieSeal.LongestText];
        for (var i = 0; new RequestView(head, Peer, isHttps: false).TryCookie("StickyWs"u8, i, text, out var length); i++)
        {
            var found = Encoding.Latin1.GetString(text[..length]).TrimEnd('=').Replace(" ", "", StringComparison.Ordinal)
                .Replace("\t", "", StringComparison.Ordinal);
            isIssued |= _issued.Contains(found);
        }

        Broken.If(!isIssued, "A cookie was taken that was not issued.");
        Broken.If(claim is not { Source: KeySource.Cookie, First.Name: "a" }, "The cookie leads elsewhere than to its backend.");
    }

    private void CheckKeys(in RequestView sniffed, in RequestView parsed)
    {
        foreach (var rule in _hashRules)
        {
            var (isOne, isOther) = (rule.TryKey(sniffed, out var one), rule.TryKey(parsed, out var other));
            Broken.If((isOne, one) != (isOther, other), $"{rule.GetType().Name} has one key in the sniffed lane and another in the pipeline.");
        }

        foreach (var rule in _pinRules)
        {
            var (isOne, isOther) = (rule.TryKey(sniffed, out var one), rule.TryKey(parsed, out var other));
            Broken.If((isOne, one) != (isOther, other), $"{rule.GetType().Name} has one key in the sniffed lane and another in the pipeline.");
        }
    }

    private bool CheckAnswer(ReadOnlySpan<byte> bytes)
    {
        var length = ResponseHead.TryParse(bytes, out var head);
        if (head is null) return false;
        var isLearnt = false;
        foreach (var rule in _pinRules)
        {
            var (byHead, byBody) = (rule.TryLearn(head, out var headKey), rule.TryLearn(bytes[length..], out var bodyKey));
            Broken.If(byHead == headKey.IsNone || byBody == bodyKey.IsNone, "What is learnt is a key, and what is not is none.");
            isLearnt |= byHead || byBody;
        }

        return isLearnt;
    }
}
