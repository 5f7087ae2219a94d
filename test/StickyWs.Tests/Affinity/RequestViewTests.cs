using System.Net;
using System.Text;
using StickyWs.Affinity;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Affinity;

public sealed class RequestViewTests
{
    private delegate bool Reading(in RequestView view, Span<byte> value, out int length);

    [Theory]
    [InlineData("X-User: a", "a")]
    [InlineData("x-USER:a", "a")]
    [InlineData("X-User: a\r\nX-User: b", "a")]
    [InlineData("X-User: a b, c", "a b, c")]
    [InlineData("X-User: \u00e9\u00ff", "\u00e9\u00ff")]
    [InlineData("X-User:", null)]
    [InlineData("X-User:\r\nX-User: b", null)]
    [InlineData("X-Users: a", null)]
    [InlineData("X-User: a\r\nConnection: keep-alive, x-user", null)]
    [InlineData("Connection: X-User\r\nX-User: a\r\nX-User: b", null)]
    [InlineData("X-User: a\r\nConnection: keep-alive, X-Users, Cookie", "a")]
    [InlineData("", null)]
    public void TryHeader_FromEitherSource_IsTheFirst(string headers, string? expected)
        => Check("/", headers, expected, (in RequestView view, Span<byte> value, out int length) => view.TryHeader("X-User", value, out length));

    [Theory]
    [InlineData(0, "a")]
    [InlineData(1, "b")]
    [InlineData(2, null)]
    [InlineData(3, "d")]
    [InlineData(4, null)]
    [InlineData(-1, "d")]
    [InlineData(-2, null)]
    [InlineData(-3, "b")]
    [InlineData(-4, "a")]
    [InlineData(-5, null)]
    public void TryHeader_OneOfSeveralLines_IsThatOne(int line, string? expected)
        => Check(
            "/",
            "X-User: a\r\nx-user: b\r\nX-User:\r\nOther: c\r\nX-User: d",
            expected,
            (in RequestView view, Span<byte> value, out int length) => view.TryHeader("X-User", value, out length, line < 0 ? ^-line : line));

    [Theory]
    [InlineData("Cookie: sid=a", "a")]
    [InlineData("Cookie: x=y; sid=a; sid=b", "a")]
    [InlineData("Cookie: x=y\r\ncookie: sid=a", "a")]
    [InlineData("Cookie: sid=a\r\nCookie: sid=b", "a")]
    [InlineData("Cookie: sid=\u00e9\u00ff\u0080", "\u00e9\u00ff\u0080")]
    [InlineData("Cookie: sid=\r\nCookie: sid=b", null)]
    [InlineData("Cookie: sid", null)]
    [InlineData("Cookie:", null)]
    [InlineData("X: sid=a", null)]
    [InlineData("Cookie: sid=a\r\nConnection: cookie", null)]
    [InlineData("Cookie: sid=a\r\nConnection: cookies", "a")]
    public void TryCookie_FromEitherSource_IsTheFirst(string headers, string? expected)
        => Check("/", headers, expected, (in RequestView view, Span<byte> value, out int length) => view.TryCookie("sid"u8, value, out length));

    [Theory]
    [InlineData("/?room=a", "a")]
    [InlineData("/x/y?z=1&ROOM=a%20b+c", "a b c")]
    [InlineData("/?room=%C3%A9%00%", "\u00c3\u00a9\0%")]
    [InlineData("/?room=a&room=b", "a")]
    [InlineData("/?room=", null)]
    [InlineData("/?", null)]
    [InlineData("/", null)]
    [InlineData("/room=a", null)]
    public void TryQuery_FromEitherSource_IsTheFirstDecoded(string target, string? expected)
        => Check(target, "", expected, (in RequestView view, Span<byte> value, out int length) => view.TryQuery("room"u8, value, out length));

    [Theory]
    [InlineData("/rooms/42/chat", 0, "rooms")]
    [InlineData("/rooms/42/chat", 1, "42")]
    [InlineData("/rooms/42/chat?x=/y/z", 2, "chat")]
    [InlineData("/rooms/42/chat?x=/y/z", 3, null)]
    [InlineData("/rooms/42?/a", 1, "42")]
    [InlineData("/rooms/42/", 1, "42")]
    [InlineData("/rooms/42/", 2, null)]
    [InlineData("/rooms//42", 1, null)]
    [InlineData("/rooms//42", 2, "42")]
    [InlineData("//rooms", 0, null)]
    [InlineData("//rooms", 1, "rooms")]
    [InlineData("/Rooms", 0, "Rooms")]
    [InlineData("/a;b=c,d", 0, "a;b=c,d")]
    [InlineData("/a+b", 0, "a+b")]
    [InlineData("/", 0, null)]
    [InlineData("/?a", 0, null)]
    [InlineData("/a", 100, null)]
    public void TryPathSegment_FromEitherSource_IsTheOneBetweenTwoSlashes(string target, int index, string? expected)
        => Check(target, "", expected, (in RequestView view, Span<byte> value, out int length) => view.TryPathSegment(index, value, out length));

    [Theory]
    [InlineData("", "/rooms/\u00e9\u540d", 1, "\u00e9\u540d")]
    [InlineData("/app", "/rooms/a%2Fb", 2, "a%2Fb")]
    [InlineData("/app", "/rooms", 0, "app")]
    [InlineData("", "", 0, null)]
    public void TryPathSegment_DecodedPath_IsUtf8OfThatWhichThePoolIsMatchedBy(string pathBase, string path, int index, string? expected)
    {
        var request = DispatchRig.Request(path);
        request.PathBase = pathBase;
        var value = new byte[64];

        var isFound = new RequestView(request).TryPathSegment(index, value, out var length);

        Assert.Equal(expected, isFound ? Encoding.UTF8.GetString(value, 0, length) : null);
    }

    [Fact]
    public void TryAnything_ValueThatDoesNotFit_IsNone()
    {
        var longOne = new string('x', 65);

        Check("/", "X-User: " + longOne, null, (in RequestView view, Span<byte> value, out int length) => view.TryHeader("X-User", value, out length));
        Check("/", "Cookie: sid=" + longOne, null, (in RequestView view, Span<byte> value, out int length) => view.TryCookie("sid"u8, value, out length));
        Check("/?room=" + longOne, "", null, (in RequestView view, Span<byte> value, out int length) => view.TryQuery("room"u8, value, out length));
        Check("/" + longOne, "", null, (in RequestView view, Span<byte> value, out int length) => view.TryPathSegment(0, value, out length));
        Check("/", "X-User: " + longOne[1..], longOne[1..],
            (in RequestView view, Span<byte> value, out int length) => view.TryHeader("X-User", value, out length));
    }

    [Fact]
    public void TryHeader_TextBeyondLatin1_IsUtf8()
    {
        var request = DispatchRig.Request();
        request.Headers["X-User"] = "\u540d";
        var value = new byte[8];

        Assert.True(new RequestView(request).TryHeader("X-User", value, out var length));
        Assert.Equal("\u540d", Encoding.UTF8.GetString(value, 0, length));
    }

    [Fact]
    public void TryQuery_TextBeyondAscii_IsNone()
        => Assert.False(new RequestView(DispatchRig.Request(query: "?room=\u00e9")).TryQuery("room"u8, new byte[8], out _));

    [Fact]
    public void IsRequest_Handshake_IsNone()
    {
        var view = new RequestView(DispatchRig.Head("/hub/negotiate"), IPAddress.Loopback, isHttps: true);

        Assert.False(view.IsRequest("GET"));
        Assert.False(view.HasPathEnd("/negotiate"));
        Assert.True(view.IsHttps);
        Assert.Equal(IPAddress.Loopback, view.Peer);
    }

    [Fact]
    public void IsRequest_PlainRequest_GoesByMethodAndPath()
    {
        var view = new RequestView(DispatchRig.Request("/hub/Negotiate", method: "POST"));

        Assert.True(view.IsRequest("post"));
        Assert.False(view.IsRequest("GET"));
        Assert.True(view.HasPathEnd("/negotiate"));
        Assert.False(view.HasPathEnd("/hub"));
        Assert.False(view.IsHttps);
    }

    private static void Check(string target, string headers, string? expected, Reading read)
    {
        Assert.Equal(expected, Read(Views.Sniffed(target, headers), read));
        Assert.Equal(expected, Read(Views.Parsed(target, headers), read));
    }

    private static string? Read(in RequestView view, Reading read)
    {
        var value = new byte[64];
        return read(view, value, out var length) ? Encoding.Latin1.GetString(value, 0, length) : null;
    }
}
