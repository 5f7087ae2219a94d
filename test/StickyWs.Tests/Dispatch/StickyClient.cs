using System.Net;
using System.Text;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>
/// A client as there are many: it keeps cookies, says who it is in <c>X-User</c>, and gets a session of the backend's own at its first visit.
/// </summary>
internal sealed class StickyClient(StickyRig rig, string user = "ann")
{
    private readonly Dictionary<string, string> _cookies = [];

    /// <summary>The cookies that it sends.</summary>
    public string Cookies => string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));

    public string Peer { get; set; } = "127.0.0.1";

    /// <summary>The same client at another instance, with the cookies that it has now.</summary>
    public StickyClient At(StickyRig other)
    {
        var client = new StickyClient(other, user) { Peer = Peer };
        foreach (var (name, value) in _cookies) client._cookies[name] = value;
        return client;
    }

    /// <summary>A visit that is over at once.</summary>
    public async Task<Visit> VisitAsync(string target = "/", string answer = "")
    {
        var visit = await StayAsync(target, answer);
        visit.End();
        return visit;
    }

    /// <summary>A visit that lasts until the test ends it.</summary>
    /// <param name="target">The request target.</param>
    /// <param name="answer">More headers of the backend's answer.</param>
    /// <param name="failures">So many backends cannot be reached before one answers.</param>
    public async Task<Visit> StayAsync(string target = "/", string answer = "", int failures = 0)
    {
        var head = DispatchRig.Head(target, $"X-User: {user}\r\n" + (_cookies.Count == 0 ? "" : $"Cookie: {Cookies}\r\n"));
        var decision = (await rig.Rig.Dispatcher.DecideAsync(head, IPAddress.Parse(Peer), isHttps: false))!;
        var isGiven = decision.TryNext(out var lease);
        for (; isGiven && failures > 0; failures--)
        {
            lease.Dispose();
            isGiven = decision.TryNext(out lease);
        }

        if (!isGiven) return new Visit(decision, null, default, default);
        var notice = decision.Notice;
        if (!_cookies.ContainsKey("sid")) answer = $"Set-Cookie: sid={user}-session" + (answer.Length == 0 ? "" : "\r\n" + answer);
        var head101 = Views.Answer(answer);
        var marks = await decision.SettleAsync(head101);
        if (marks.SetCookie is { } mark) Take(mark);
        var line = new byte[4096];
        for (var i = 0; head101.TryRead("Set-Cookie", i, line, out var length); i++) Take(Encoding.Latin1.GetString(line, 0, length));
        return new Visit(decision, lease, notice, marks);
    }

    public void Take(string setCookie)
    {
        var pair = setCookie.Split(';')[0].Split('=', 2);
        _cookies[pair[0].Trim()] = pair[1].Trim();
    }
}
