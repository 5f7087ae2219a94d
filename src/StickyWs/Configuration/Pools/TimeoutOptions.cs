namespace StickyWs.Configuration;

/// <summary>Time-outs for each step with a backend, and for a request as a whole. None of them ends an open tunnel.</summary>
public sealed class TimeoutOptions
{
    /// <summary>
    /// Time for name resolution, TCP connect and TLS handshake of one attempt; then the next backend is tried. Range 10 ms to 5 min; default 5 s.
    /// </summary>
    [TimeRange("00:00:00.01", "00:05:00")]
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time from the last byte of a WebSocket handshake sent to the complete response of the backend; then the client gets 504. Range 10 ms to 10
    /// min; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.01", "00:10:00")]
    public TimeSpan Handshake { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a plain HTTP request may be idle in both directions; before the response has started the client gets 504. Range 100 ms to 1 day;
    /// default 100 s.
    /// </summary>
    [TimeRange("00:00:00.1", "1.00:00:00")]
    public TimeSpan Activity { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Time for a plain HTTP request as a whole, from its head to the last byte of its response, and for the response of a backend that declines a
    /// handshake. After it the client gets 504, or, once the response has started, its connection is aborted. A response that had not started counts
    /// as a failure of the backend, unless the client was the one being waited for. Allow for uploads, downloads and event streams. Range 100 ms to 7
    /// days; default <see langword="null"/>: no limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? Request { get; set; }
}
