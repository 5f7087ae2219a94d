namespace StickyWs.Configuration;

/// <summary>How a client comes back to the backend that holds its state. Default: not at all; each handshake and each request is balanced anew.</summary>
public sealed class AffinityOptions
{
    /// <summary>
    /// The rules, tried in order for handshakes and plain requests alike; the first that knows the client decides. A client that none knows is new:
    /// the pool's policy chooses, and the rules remember. Default: none.
    /// </summary>
    public IList<AffinityRuleOptions> Rules { get; } = [];

    /// <summary>
    /// How long a known client waits for a backend that is down (503 with <c>Retry-After</c>) before it is moved to another one. For applications
    /// that keep a client's state in the process for minutes, as Blazor Server does. A backend that refuses connections has no process any more, and
    /// so no state: its clients are moved at once, unless <see cref="HoldWhenRefused"/> says otherwise. Range 0 to 1 h; default 0: moved at once.
    /// </summary>
    [TimeRange("00:00:00", "01:00:00")]
    public TimeSpan HoldFor { get; set; }

    /// <summary>
    /// Whether <see cref="HoldFor"/> also holds for a backend that refuses connections. For applications that restore a client's state from their own
    /// disk when they start again. Default <see langword="false"/>.
    /// </summary>
    public bool HoldWhenRefused { get; set; }

    /// <summary>
    /// How long a pin lives after its last use; an open tunnel or request uses it. Range 1 s to 30 days; default 20 min.
    /// </summary>
    [TimeRange("00:00:01", "30.00:00:00")]
    public TimeSpan PinLifetime { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Whether clients are told the backend's name, in <c>StickyWs-Backend</c>. For trials and support; it shows the inside. Default
    /// <see langword="false"/>.
    /// </summary>
    public bool RevealBackend { get; set; }
}
