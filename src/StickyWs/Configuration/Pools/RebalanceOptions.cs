namespace StickyWs.Configuration;

/// <summary>
/// How tunnels are spread again after backends were added or came back: some of those at crowded backends are told to go, and their clients come back
/// to the emptiest ones. Off unless <see cref="Rate"/> is set. A change applies at once.
/// </summary>
public sealed class RebalanceOptions
{
    /// <summary>
    /// How many of the pool's tunnels are told to go per second, at most. Range 0.01 to 10,000; default <see langword="null"/>: none.
    /// </summary>
    [NumberRange(0.01, 10_000)]
    public double? Rate { get; set; }

    /// <summary>
    /// By how much a backend's tunnels must exceed its fair share, as a part of that share, before any is told to go. Its fair share is that of the
    /// tunnels of all backends in use, by weight. Once begun it goes on to half of this. Range 0.01 to 10; default 0.2.
    /// </summary>
    [NumberRange(0.01, 10)]
    public double Tolerance { get; set; } = 0.2;

    /// <summary>
    /// How long no byte has moved in a tunnel that is told to go; it is also between two frames in both directions. Range 0 to 1 h; default 2 s.
    /// </summary>
    [TimeRange("00:00:00", "01:00:00")]
    public TimeSpan MinimumIdle { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the same backends must have been in use, each with its whole share (<see cref="PoolOptions.SlowStart"/>), and one of them crowded. It is
    /// doubled each time that one of them has left within the last ten minutes, up to 32 times. Range 0 to 1 h; default 10 s.
    /// </summary>
    [TimeRange("00:00:00", "01:00:00")]
    public TimeSpan SettleTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether tunnels of clients are told to go, too, whose cookie or learnt pin leads to their backend; they lose their state there. Clients whose
    /// backend follows from hashing are never told: they would come back to it. Default <see langword="false"/>.
    /// </summary>
    public bool Pinned { get; set; }

    /// <summary>
    /// The status code of the Close frame (RFC 6455 section 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Range 1,000 to 4,999; default 1012
    /// (Service Restart).
    /// </summary>
    [NumberRange(1000, 4999)]
    public int CloseCode { get; set; } = 1012;

    /// <summary>The text of the Close frame: at most 123 bytes of UTF-8. Default <c>rebalancing</c>.</summary>
    public string CloseReason { get; set; } = "rebalancing";
}
