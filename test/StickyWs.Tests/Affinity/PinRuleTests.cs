using System.Text;
using StickyWs.Affinity;
using StickyWs.Pinning;

namespace StickyWs.Tests.Affinity;

public sealed class PinRuleTests
{
    private const string Token = "dGhpc19pc19hX3Rva2Vu";
    private const string OtherToken = "YW5vdGhlcl90b2tlbl9o";

    private readonly SignalRRule _signalR = new("chat");
    private readonly SocketIORule _socketIO = new("chat");

    [Theory]
    [InlineData("POST", "/hub/negotiate?negotiateVersion=1", true)]
    [InlineData("POST", "/hub/negotiate", true)]
    [InlineData("post", "/hub/Negotiate", true)]
    [InlineData("POST", "/negotiate", true)]
    [InlineData("GET", "/hub/negotiate", false)]
    [InlineData("OPTIONS", "/hub/negotiate", false)]
    [InlineData("POST", "/hub/renegotiate", false)]
    [InlineData("POST", "/hub/negotiate/x", false)]
    [InlineData("POST", "/hub?x=/negotiate", false)]
    public void SignalRAwaitsBody_Request_IsNegotiateAlone(string method, string target, bool awaits)
        => Assert.Equal(awaits, _signalR.AwaitsBody(Views.Parsed(target, method: method)));

    [Theory]
    [InlineData($$"""{"connectionId":"{{OtherToken}}","availableTransports":[]}""", OtherToken)]
    [InlineData($$"""{"negotiateVersion":0,"connectionId":"{{OtherToken}}"}""", OtherToken)]
    [InlineData($$"""{"negotiateVersion":1,"connectionId":"{{OtherToken}}","connectionToken":"{{Token}}"}""", Token)]
    [InlineData($$"""{"connectionToken":"{{Token}}","connectionId":"{{OtherToken}}"}""", Token)]
    [InlineData("""{"url":"https://elsewhere/","accessToken":"dGhpc19pc19hX3Rva2Vu"}""", null)]
    [InlineData("""{"error":"no"}""", null)]
    [InlineData("""{"connectionToken":"5","connectionId":"x"}""", null)]
    [InlineData("""{"connectionToken":null}""", null)]
    [InlineData("""{"connectionToken":["dGhpc19pc19hX3Rva2Vu"]}""", null)]
    [InlineData("""{"availableTransports":[{"connectionToken":"dGhpc19pc19hX3Rva2Vu"}]}""", null)]
    [InlineData("<html>", null)]
    [InlineData("", null)]
    public void SignalRTryLearn_Body_IsTheToken(string body, string? token)
    {
        Assert.Equal(token is not null, _signalR.TryLearn(Encoding.UTF8.GetBytes(body), out var key));

        Assert.Equal(token is null ? default : Key(_signalR, "/hub?id=" + token), key);
    }

    [Theory]
    [InlineData("/hub?id=" + Token, true)]
    [InlineData("/hub?transport=WebSockets&ID=" + Token, true)]
    [InlineData("/hub?id=5", false)]
    [InlineData("/hub?id=", false)]
    [InlineData("/hub?id=not/a/token/at/all", false)]
    [InlineData("/hub?x=" + Token, false)]
    [InlineData("/hub", false)]
    public void SignalRTryKey_Request_IsATokenAlone(string target, bool isKey) => CheckKey(_signalR, target, "", isKey);

    [Theory]
    [InlineData("GET", "/socket.io/?EIO=4&transport=polling", true)]
    [InlineData("GET", "/socket.io/?EIO=3&transport=polling&t=N8hyd6w", true)]
    [InlineData("GET", "/socket.io/?transport=polling", false)]
    [InlineData("GET", "/socket.io/?EIO=4&transport=websocket", false)]
    [InlineData("GET", "/socket.io/?EIO=4", false)]
    [InlineData("GET", "/socket.io/?EIO=4&transport=polling&sid=" + Token, false)]
    [InlineData("POST", "/socket.io/?EIO=4&transport=polling", false)]
    public void SocketIOAwaitsBody_Request_IsTheFirstOfAPollingClient(string method, string target, bool awaits)
        => Assert.Equal(awaits, _socketIO.AwaitsBody(Views.Parsed(target, method: method)));

    [Fact]
    public void AwaitsBody_Handshake_IsNever()
    {
        Assert.False(_signalR.AwaitsBody(Views.Sniffed("/hub/negotiate")));
        Assert.False(_socketIO.AwaitsBody(Views.Sniffed("/socket.io/?EIO=4&transport=polling")));
        Assert.False(new LearntCookieRule("chat", "sid").AwaitsBody(Views.Parsed()));
    }

    [Theory]
    [InlineData($$"""0{"sid":"{{Token}}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}""", true)]
    [InlineData($$"""97:0{"sid":"{{Token}}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}2:40""", true)]
    [InlineData("""0{"sid":"5"}""", false)]
    [InlineData("""0{"code":0,"message":"Transport unknown"}""", false)]
    [InlineData("""0{"data":{"sid":"dGhpc19pc19hX3Rva2Vu"}}""", false)]
    [InlineData("\0\u0009\u0007\u00ff0{\"sid\":\"dGhpc19pc19hX3Rva2Vu\"}", true)]
    [InlineData("6", false)]
    public void SocketIOTryLearn_Body_IsTheSessionId(string body, bool isLearnt)
    {
        Assert.Equal(isLearnt, _socketIO.TryLearn(Encoding.Latin1.GetBytes(body), out var key));

        Assert.Equal(isLearnt ? Key(_socketIO, "/?EIO=4&sid=" + Token) : default, key);
    }

    [Theory]
    [InlineData("/socket.io/?EIO=4&transport=websocket&sid=" + Token, true)]
    [InlineData("/socket.io/?sid=" + Token + "&EIO=3", true)]
    [InlineData("/socket.io/?sid=" + Token, false)]
    [InlineData("/socket.io/?EIO=4&sid=5", false)]
    [InlineData("/socket.io/?EIO=4", false)]
    public void SocketIOTryKey_Request_IsATokenOfEngineIOAlone(string target, bool isKey) => CheckKey(_socketIO, target, "", isKey);

    [Theory]
    [InlineData("Set-Cookie: sid=abc", "abc")]
    [InlineData("Set-Cookie: sid=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", "abc")]
    [InlineData("Set-Cookie: a=b\r\nSet-Cookie: c=d; sid=no\r\nset-cookie: sid=abc; Secure", "abc")]
    [InlineData("Set-Cookie: sid=; Max-Age=0\r\nSet-Cookie: sid=abc", "abc")]
    [InlineData("Set-Cookie: sid=\"abc\"", "\"abc\"")]
    [InlineData("Set-Cookie: sid=a=b", "a=b")]
    [InlineData("Set-Cookie: sid=\u00e9", "\u00e9")]
    [InlineData("Set-Cookie:  sid=abc ;Path=/", "abc")]
    [InlineData("Set-Cookie: sid=; Max-Age=0", null)]
    [InlineData("Set-Cookie: sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", null)]
    [InlineData("Set-Cookie: sid", null)]
    [InlineData("Set-Cookie: SID=abc", null)]
    [InlineData("Set-Cookie: other=x; sid=abc", null)]
    [InlineData("Set-Cookie: =sid", null)]
    [InlineData("Set-Cookie:", null)]
    [InlineData("Cookie: sid=abc", null)]
    [InlineData("", null)]
    public void LearntCookieTryLearn_Answer_IsWhatTheClientWillBring(string headers, string? value)
    {
        var rule = new LearntCookieRule("chat", "sid");
        foreach (var answer in Views.Answers(headers))
        {
            Assert.Equal(value is not null, rule.TryLearn(answer, out var key));
            Assert.Equal(value is null ? default : Key(rule, "/", "Cookie: x=y; sid=" + value), key);
        }
    }

    [Fact]
    public void LearntCookieTryLearn_LinesThatAreTooLong_ArePassedOver()
    {
        var rule = new LearntCookieRule("chat", "sid");
        string[] values = [new('x', 5000), new('x', PinKey.LongestValue + 1), new('y', PinKey.LongestValue)];
        foreach (var answer in Views.Answers(string.Join("\r\n", values.Select(value => "Set-Cookie: sid=" + value))))
        {
            Assert.True(rule.TryLearn(answer, out var key));
            Assert.Equal(Key(rule, "/", "Cookie: sid=" + new string('y', PinKey.LongestValue)), key);
        }

        CheckKey(rule, "/", "Cookie: sid=" + new string('y', PinKey.LongestValue + 1), isKey: false);
    }

    [Fact]
    public void LearntCookie_NamesThatDifferInCaseAlone_AreDifferentCookies()
        => Assert.NotEqual(Key(new LearntCookieRule("chat", "sid"), "/", "Cookie: sid=abc"), Key(new LearntCookieRule("chat", "SID"), "/", "Cookie: SID=abc"));

    [Theory]
    [InlineData("X-Session: abc", "abc")]
    [InlineData("x-SESSION: abc", "abc")]
    [InlineData("X-Session: abc\r\nX-Session: def", "abc")]
    [InlineData("X-Session: \u00e9", "\u00e9")]
    [InlineData("X-Session:", null)]
    [InlineData("X-Other: abc", null)]
    public void LearntHeaderTryLearn_Answer_IsTheFirst(string headers, string? value)
    {
        var rule = new LearntHeaderRule("chat", "X-Session");
        foreach (var answer in Views.Answers(headers))
        {
            Assert.Equal(value is not null, rule.TryLearn(answer, out var key));
            Assert.Equal(value is null ? default : Key(new LearntHeaderRule("chat", "x-session"), "/", "X-Session: " + value), key);
        }
    }

    [Fact]
    public void LearntHeader_ValueThatIsTooLong_IsNone()
    {
        var rule = new LearntHeaderRule("chat", "X-Session");
        var headers = "X-Session: " + new string('x', PinKey.LongestValue + 1);

        foreach (var answer in Views.Answers(headers)) Assert.False(rule.TryLearn(answer, out _));
        CheckKey(rule, "/", headers, isKey: false);
    }

    [Fact]
    public void Rules_SameValueEverywhere_AreAllDifferentKeys()
    {
        const string Headers = "Cookie: sid=" + Token + "\r\nsid: " + Token;
        const string Target = "/?EIO=4&sid=" + Token + "&id=" + Token;
        PinRule[] rules = [_signalR, _socketIO, new LearntCookieRule("chat", "sid"), new LearntHeaderRule("chat", "sid"), new SignalRRule("other")];

        Assert.Equal(rules.Length, rules.Select(rule => Key(rule, Target, Headers)).Distinct().Count());
    }

    private static PinKey Key(PinRule rule, string target, string headers = "")
    {
        Assert.True(rule.TryKey(Views.Sniffed(target, headers), out var key));
        return key;
    }

    private static void CheckKey(PinRule rule, string target, string headers, bool isKey)
    {
        Assert.Equal(isKey, rule.TryKey(Views.Sniffed(target, headers), out var sniffed));
        Assert.Equal(isKey, rule.TryKey(Views.Parsed(target, headers), out var parsed));
        Assert.Equal(sniffed, parsed);
        Assert.Equal(isKey, !sniffed.IsNone);
    }
}
