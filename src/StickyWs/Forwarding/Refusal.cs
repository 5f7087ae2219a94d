using System.Globalization;
using System.Text;

namespace StickyWs.Forwarding;

/// <summary>The balancer's own answer to a handshake that does not become a tunnel. It names the cause, never a backend.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Reason">Its reason phrase (RFC 9110 section 15).</param>
/// <param name="Text">One sentence for people.</param>
/// <param name="RetryAfter">When to come again, if that makes sense.</param>
internal sealed record Refusal(int Status, string Reason, string Text, TimeSpan? RetryAfter = null)
{
    public static Refusal HeadTimedOut { get; } = new(408, "Request Timeout", "The request head did not arrive in time.");

    public static Refusal BadGateway(string text) => new(502, "Bad Gateway", text);

    public static Refusal GatewayTimeout(string text) => new(504, "Gateway Timeout", text);

    public static Refusal Unavailable(string text, TimeSpan retryAfter) => new(503, "Service Unavailable", text, retryAfter);

    /// <summary><see cref="RetryAfter"/> as the header says it.</summary>
    public string? RetryAfterSeconds => RetryAfter is { } time ? Seconds(time) : null;

    /// <summary><c>Retry-After</c> in whole seconds, rounded up (RFC 9110 section 10.2.3).</summary>
    public static string Seconds(TimeSpan time) => ((long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>The whole answer as HTTP/1.1, after which the connection is closed.</summary>
    public byte[] ToBytes()
    {
        var retryAfter = RetryAfterSeconds is { } seconds ? $"Retry-After: {seconds}\r\n" : "";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {Status} {Reason}\r\nContent-Type: text/plain\r\nContent-Length: {Text.Length}\r\n{retryAfter}Connection: close\r\n\r\n{Text}");
    }
}
