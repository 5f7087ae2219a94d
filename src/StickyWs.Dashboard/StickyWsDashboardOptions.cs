namespace StickyWs.Dashboard;

/// <summary>What the dashboard's endpoints allow. Who may reach them is said on what <c>MapStickyWsDashboard</c> returns.</summary>
public sealed class StickyWsDashboardOptions
{
    /// <summary>Whether it only shows: every POST is refused (403). The default is <see langword="false"/>.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>
    /// The name of an authorization policy that a POST needs, besides what the endpoints need as a whole; <see langword="null"/>, the default, for none.
    /// </summary>
    public string? SteerPolicy { get; set; }

    /// <summary>The most event streams at a time; one more is refused (503). Range 1 to 10,000; the default is 256.</summary>
    public int MaxEventStreams { get; set; } = 256;

    internal StickyWsDashboardOptions Checked()
    {
        if (MaxEventStreams is >= 1 and <= 10_000) return this;
        throw new ArgumentException($"{nameof(MaxEventStreams)} is {MaxEventStreams}: use 1 to 10,000.");
    }
}
