using System.Buffers;
using System.Net;
using System.Text;
using StickyWs.Backends;
using StickyWs.Forwarding;
using StickyWs.TestKit;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Forwarding;

public sealed class RequestHeadWriterTests
{
    private const string Forged = "StickyWs-Pin: forged\r\nstickyws_pin: forged\r\nSTICKYWS-Moved-From: forged\r\nStickyWs_Moved_From: forged\r\n"
        + "StickyWs-New: forged\r\n";
    private const string Pin = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Write_ClientsOwnCopies_AreDroppedFromAnybody(bool isTrusted)
    {
        var written = Written(Forged + "X-Other: kept\r\nX-StickyWs-Pin: kept\r\n", default, isTrusted);

        Assert.DoesNotContain("forged", written, StringComparison.Ordinal);
        Assert.Equal(["kept"], HttpHead.Values(written, "X-Other"));
        Assert.Equal(["kept"], HttpHead.Values(written, "X-StickyWs-Pin"));
    }

    [Fact]
    public void Write_Notice_IsWrittenOnce()
    {
        var written = Written(Forged, new PinNotice(Pin, "web%201"));

        Assert.Equal([Pin], HttpHead.Values(written, PinNotice.PinHeader));
        Assert.Equal(["web%201"], HttpHead.Values(written, PinNotice.MovedFromHeader));
        Assert.DoesNotContain("forged", written, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", written, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ClientThatWasNotMoved_HasAPinAlone()
    {
        var written = Written("", new PinNotice(Pin, null));

        Assert.Equal([Pin], HttpHead.Values(written, PinNotice.PinHeader));
        Assert.Empty(HttpHead.Values(written, PinNotice.MovedFromHeader));
    }

    [Fact]
    public void Write_NoNotice_SaysNothing() => Assert.DoesNotContain("StickyWs", Written("", default), StringComparison.OrdinalIgnoreCase);

    // The cookie means nothing to the backend and does not harm it; its line goes as it came.
    [Fact]
    public void Write_CookieLine_IsUnchanged()
        => Assert.Equal(["a=b; StickyWs=abc"], HttpHead.Values(Written("Cookie: a=b; StickyWs=abc\r\n", default), "Cookie"));

    private static string Written(string headers, PinNotice notice, bool isTrusted = false)
    {
        var output = new ArrayBufferWriter<byte>();
        RequestHeadWriter.Write(output, DispatchRig.Head("/chat", headers), new ClientInfo(IPAddress.Loopback, "http"), isTrusted, notice);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
