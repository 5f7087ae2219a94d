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

    /// <summary>
    /// Whether clients on this machine may steer without authorization. <see langword="null"/>, the default, means in the environment Development only: a
    /// proxy on this machine that adds no header, or forwards TCP, makes the whole world look local. <see langword="true"/> is for machines on which no
    /// proxy leads to the dashboard. Of no effect where authorization is required, or <see cref="SteerPolicy"/> is set.
    /// </summary>
    public bool? AnonymousSteering { get; set; }

    /// <summary>The most event streams at a time; one more is refused (503). Range 1 to 10,000; the default is 256.</summary>
    public int MaxEventStreams { get; set; } = 256;

    /// <summary>
    /// The most requests at a time that wait until backends are empty (<c>until=empty</c>); one more is refused (503), and changes nothing. Range 1 to
    /// 10,000; the default is 256.
    /// </summary>
    public int MaxWaits { get; set; } = 256;

    /// <summary>
    /// The path of a JavaScript module of the application's own that the page loads, such as <c>/banner.js</c>, below the application's own base path
    /// (<c>UsePathBase</c>) if it has one; <see langword="null"/>, the default, for none. It fills the element with the id <c>banner</c>, above the totals. The
    /// page's Content-Security-Policy holds for it: what it loads is of the page's origin, and text never becomes markup. An address of another origin, or
    /// one without a slash at its beginning, is an error.
    /// </summary>
    public string? Banner { get; set; }

    internal StickyWsDashboardOptions Checked()
    {
        if (Banner is not null && !IsOwn(Banner))
            throw new ArgumentException($"Banner is '{Banner}': use the path of a module of the application's own, such as /banner.js.");
        Check(MaxEventStreams, nameof(MaxEventStreams));
        Check(MaxWaits, nameof(MaxWaits));
        return this;
    }

    private static void Check(int value, string name)
    {
        if (value is < 1 or > 10_000) throw new ArgumentException($"{name} is {value}: use 1 to 10,000.");
    }

    private static bool IsOwn(string address)
        => address.StartsWith('/') && Uri.IsWellFormedUriString(address, UriKind.Relative) && !address.StartsWith("//", StringComparison.Ordinal);
}
