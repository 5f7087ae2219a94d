namespace StickyWs.Configuration;

/// <summary>How long a backend may take for each step, and a request as a whole. None of these ends an open tunnel.</summary>
public sealed class TimeoutOptions
{
    /// <summary>
    /// Name resolution, TCP connect and TLS handshake of one attempt, after which the next backend is tried. Range 10 ms to 5 min; default 5 s.
    /// </summary>
    [TimeRange("00:00:00.01", "00:05:00")]
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// From the last byte of a WebSocket handshake sent to the backend's whole answer; past it the client gets 504. Range 10 ms to 10 min; default 10
    /// s.
    /// </summary>
    [TimeRange("00:00:00.01", "00:10:00")]
    public TimeSpan Handshake { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a plain HTTP request may go on without a byte in either direction; before the answer began the client gets 504.
    /// Range 100 ms to 1 day; default 100 s.
    /// </summary>
    [TimeRange("00:00:00.1", "1.00:00:00")]
    public TimeSpan Activity { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// How long a plain HTTP request may take as a whole, from its head to the last byte of its answer, and the answer of a backend that declines a
    /// handshake. Past it the client gets 504, or, when the answer has begun, a connection that is broken off. An answer that had not begun counts
    /// against the backend, unless it was the client that was waited for. Mind uploads, downloads and event streams. Range 100 ms to 7 days;
    /// <see langword="null"/>, the default, for no limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? Request { get; set; }
}
