namespace StickyWs.Configuration;

/// <summary>
/// How handshakes and plain requests wait for a backend that takes no more at a time (<see cref="BackendOptions.MaxHandshakes"/>, <see
/// cref="BackendOptions.MaxRequests"/>). Without such limits nobody waits.
/// </summary>
public sealed class QueueOptions
{
    /// <summary>
    /// How many handshakes, and as many plain requests, may wait; further ones get 503 with <c>Retry-After</c> at once. 0: nobody waits. Range 0 to
    /// 1,000,000; default 100.
    /// </summary>
    [NumberRange(0, 1_000_000)]
    public int Length { get; set; } = 100;

    /// <summary>
    /// How long one waits, all attempts together, before it gets 503 with <c>Retry-After</c>. Range 10 ms to 10 min; default 5 s.
    /// </summary>
    [TimeRange("00:00:00.01", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);
}
