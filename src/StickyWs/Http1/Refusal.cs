using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyWs.Http1;

/// <summary>
/// The balancer's own answer where it has no backend's to pass on: to a handshake or to a plain request, as bytes or through the HTTP pipeline. It names
/// the cause, never a backend or an address.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Text">One sentence for people, in ASCII.</param>
internal sealed record Refusal(int Status, string Text)
{
    public const string ContentType = "text/plain; charset=utf-8";

    public static Refusal BadTarget { get; } = new(400, "The request target is not valid.");

    public static Refusal HeadTimedOut { get; } = new(408, "The request head did not arrive in time.");

    public static Refusal BodyTimedOut { get; } = new(408, "The request body did not arrive in time.");

    public static Refusal NotProxied { get; } = new(501, "This kind of request target is not proxied.");

    public static Refusal NotReached { get; } = new(502, "No backend could be reached.");

    public static Refusal NoAnswer { get; } = new(502, "The backend closed the connection without an answer.");

    public static Refusal NotTaken { get; } = new(502, "The backend did not accept the request.");

    public static Refusal BadAnswer { get; } = new(502, "The backend's answer is not valid.");

    public static Refusal BrokenAnswer { get; } = new(502, "The backend's answer broke off.");

    public static Refusal NoBackend { get; } = new(503, "No backend is available.");

    public static Refusal Held { get; } = new(503, "The backend that holds this session is unavailable for now. Try again shortly.");

    public static Refusal NoRoom { get; } = new(503, "The balancer has no resources left for another connection.");

    public static Refusal NoRoomForTunnel { get; } = new(503, "The limit of open WebSockets is reached.");

    public static Refusal Busy { get; } = new(503, "Too many are on their way to the backends. Try again shortly.");

    public static Refusal NoRoomForUpgrade { get; } = new(503, "The limit of upgraded connections is reached.");

    public static Refusal NotReachedInTime { get; } = new(504, "No backend accepted the connection in time.");

    public static Refusal NotAnsweredInTime { get; } = new(504, "The backend did not answer in time.");

    public static Refusal OutOfTime { get; } = new(504, "The request took longer than allowed.");

    /// <summary>Its reason phrase (RFC 9110 section 15).</summary>
    public string Reason => ReasonPhrases.GetReasonPhrase(Status);

    /// <summary>What it says besides its body.</summary>
    public (string Name, string Value)? Header { get; init; }

    /// <summary>The body: one line.</summary>
    public string Body => $"{Status} {Reason}: {Text}\n";

    /// <summary>The same with <c>Retry-After</c>, in whole seconds, rounded up (RFC 9110 section 10.2.3).</summary>
    public Refusal RetryAfter(TimeSpan time)
        => this with { Header = ("Retry-After", ((long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture)) };

    /// <summary>The whole answer as HTTP/1.1, after which the connection is closed.</summary>
    public byte[] ToBytes() => ToBytes(closes: true);

    /// <summary>The whole answer as HTTP/1.1.</summary>
    /// <param name="closes">Whether the connection is closed after it.</param>
    /// <param name="isToHead">Whether it answers a HEAD, and so has no body.</param>
    public byte[] ToBytes(bool closes, bool isToHead = false)
    {
        var body = Body;
        var header = Header is { } one ? $"{one.Name}: {one.Value}\r\n" : "";
        if (closes) header += "Connection: close\r\n";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {Status} {Reason}\r\nContent-Type: {ContentType}\r\nContent-Length: {body.Length}\r\n{header}\r\n{(isToHead ? "" : body)}");
    }
}
