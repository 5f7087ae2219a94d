namespace StickyWs.Configuration;

/// <summary>
/// How a client returns to the backend that holds its state. Default: no affinity; each handshake and each request is balanced independently.
/// </summary>
public sealed class AffinityOptions
{
    /// <summary>
    /// The rules, tried in order for handshakes and plain requests alike; the first rule that recognizes the client decides. A client that no rule
    /// recognizes is new: the pool's policy chooses a backend, and the rules remember the choice. Default: none.
    /// </summary>
    public IList<AffinityRuleOptions> Rules { get; } = [];

    /// <summary>
    /// How long a known client waits (503 with <c>Retry-After</c>) for a backend that is down before it is moved to another one. For applications
    /// such as Blazor Server that keep a client's state in the process for minutes. A backend that refuses connections has lost its process and its
    /// state: its clients are moved at once, unless <see cref="HoldWhenRefused"/> is set. Range 0 to 1 h; default 0: clients are moved at once.
    /// </summary>
    [TimeRange("00:00:00", "01:00:00")]
    public TimeSpan HoldFor { get; set; }

    /// <summary>
    /// Whether <see cref="HoldFor"/> also applies to a backend that refuses connections. For applications that restore their clients' state from disk
    /// when they restart. Default <see langword="false"/>.
    /// </summary>
    public bool HoldWhenRefused { get; set; }

    /// <summary>How long a pin lives after its last use; an open tunnel or request counts as use. Range 1 s to 30 days; default 20 min.</summary>
    [TimeRange("00:00:01", "30.00:00:00")]
    public TimeSpan PinLifetime { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Whether responses name the backend in a <c>StickyWs-Backend</c> header. For testing and support; it exposes internal names. Default <see
    /// langword="false"/>.
    /// </summary>
    public bool RevealBackend { get; set; }
}
