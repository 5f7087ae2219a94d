using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Detection;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Pipeline;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace StickyWs.Upgrades;

/// <summary>
/// Renders a handshake that Kestrel parsed as the HTTP/1.1 head that a client would have sent. So one parser holds the rules for every way in, and
/// the forwarder needs only one form of a request.
/// </summary>
internal static class UpgradeHead
{
    /// <summary>Kestrel has already applied its own limits.</summary>
    public static HeadLimits NoLimits { get; } = new(int.MaxValue, int.MaxValue, int.MaxValue);

    public static bool HasConnectionUpgrade(HttpRequest request)
        => request.Headers.Connection.Any(value => value is not null && TokenList.Contains(Bytes(value), "upgrade"u8));

    /// <summary>The method of the HTTP/1.1 request: extended CONNECT becomes a GET (RFC 8441 section 5).</summary>
    public static string MethodOf(HttpRequest request) => HttpMethods.IsPost(request.Method) ? HttpMethods.Post : HttpMethods.Get;

    /// <param name="request">The request.</param>
    /// <param name="hasOwnKey">Whether it has its own HTTP/1.1 handshake headers; if not, they are generated here.</param>
    /// <param name="isTrusted">Whether the peer's forwarded headers count; for any other peer, only what the application made of them does.</param>
    /// <param name="upgrades">The protocols to ask the backend for; <see langword="null"/> for a WebSocket.</param>
    public static ReadOnlySpan<byte> Render(HttpRequest request, bool hasOwnKey, bool isTrusted, string? upgrades = null)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        output.Write(Encoding.ASCII.GetBytes(MethodOf(request)));
        output.Write(" "u8);
        output.Write(Bytes(RequestTarget.Of(request.HttpContext).Value)); // The parser refuses a target that names no resource.
        output.Write(" HTTP/1.1\r\n"u8);
        Write(output, HeaderNames.Host, request.Host.Value ?? "");
        foreach (var (name, values) in request.Headers)
        {
            if (IsLeftOut(request, name, values, hasOwnKey) || (upgrades is not null && Is(name, HeaderNames.Upgrade))) continue;
            // RFC 9113 section 8.2.3
            if (Is(name, HeaderNames.Cookie)) Write(output, name, string.Join("; ", values.ToArray()));
            else foreach (var value in Passed(request, name, values, isTrusted)) Write(output, name, value ?? "");
        }

        if (!hasOwnKey) Write(output, HeaderNames.Connection, HeaderNames.Upgrade);
        if (!hasOwnKey || upgrades is not null) Write(output, HeaderNames.Upgrade, upgrades ?? "websocket");
        if (!hasOwnKey && upgrades is null)
        {
            Write(output, HeaderNames.SecWebSocketKey, WebSocketKey.Create());
            if (StringValues.IsNullOrEmpty(request.Headers.SecWebSocketVersion)) Write(output, HeaderNames.SecWebSocketVersion, "13");
        }

        output.Write("\r\n"u8);
        return output.WrittenSpan;
    }

    private static bool IsLeftOut(HttpRequest request, string name, StringValues values, bool hasOwnKey)
        => !HeaderReader.IsToken(Encoding.ASCII.GetBytes(name)) // Kestrel allows any name in HTTP/2, even with a CRLF; pseudo-headers have a colon.
            || Is(name, HeaderNames.Host)
            || (Is(name, HeaderNames.ContentLength) && values == "0" && !HttpMethods.IsPost(request.Method))
            || (!hasOwnKey && (Is(name, HeaderNames.Connection) || Is(name, HeaderNames.Upgrade) || Is(name, HeaderNames.SecWebSocketKey)));

    private static StringValues Passed(HttpRequest request, string name, StringValues values, bool isTrusted)
        => ForwardedNames.IsOne(name.AsSpan()) ? ForwardedArrival.Passed(request.HttpContext, name, values, isTrusted) : values;

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static void Write(ArrayBufferWriter<byte> output, string name, string value)
        => RequestHeadWriter.WriteHeader(output, Encoding.ASCII.GetBytes(name), Bytes(value));

    // Kestrel was told to decode header bytes as Latin-1, which restores them exactly. If the application chose otherwise, they are written as UTF-8.
    private static byte[] Bytes(string text)
        => (text.AsSpan().ContainsAnyExceptInRange('\0', '\u00FF') ? Encoding.UTF8 : Encoding.Latin1).GetBytes(text);
}
