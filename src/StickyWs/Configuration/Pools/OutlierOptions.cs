namespace StickyWs.Configuration;

/// <summary>
/// When a backend is suspected because its tunnels die young: they are reset, or closed without a Close frame, soon after they opened, while those of
/// its neighbours are not. A suspicion is no verdict. In a pool with probes it asks for one at once; in a pool without, it counts as other failures
/// that clients may have caused (<see cref="PassiveHealthOptions"/>).
/// </summary>
public sealed class OutlierOptions
{
    internal static readonly TimeSpan LongestAge = TimeSpan.FromMinutes(30);
    internal static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);

    /// <summary>Whether backends are suspected for this reason. Default <see langword="true"/>.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How long a tunnel must last so as not to have died young: at most half of <see cref="Window"/>. Range 100 ms to 30 min; default 5 s.</summary>
    [TimeRange("00:00:00.1", "00:30:00")]
    public TimeSpan Age { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many tunnels of the backend must have died young within <see cref="Window"/>, those of at least <see
    /// cref="PassiveHealthOptions.MinimumClients"/> clients among them. Range 2 to 1,000,000; default 10.
    /// </summary>
    [NumberRange(2, 1_000_000)]
    public int MinimumEnds { get; set; } = 10;

    /// <summary>
    /// Which part of the tunnels that opened must have died young: the mean of this part over all clients, so that one client counts as much as any
    /// other. It must also be at least twice that of the pool's other backends, at which at least <see cref="PassiveHealthOptions.MinimumClients"/>
    /// clients had tunnels. Range 0.01 to 1; default 0.5.
    /// </summary>
    [NumberRange(0.01, 1)]
    public double Share { get; set; } = 0.5;

    /// <summary>
    /// For how long tunnels that opened and died are remembered: at least twice <see cref="Age"/>. Range 1 s to 1 h; default 1 min.
    /// </summary>
    [TimeRange("00:00:01", "01:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);
}
