namespace StickyWs.Configuration;

/// <summary>
/// The lines of the log category <c>StickyWs.Access</c>, at Information. They hold no query, no cookie and no token. Filter the category to switch them
/// off without an option.
/// </summary>
public sealed class AccessLogOptions
{
    /// <summary>
    /// Whether each tunnel gets a line when it ends, and each handshake that became none. It costs about 250 bytes for each open tunnel. A tunnel that
    /// opened while this was off has no line. Default <see langword="true"/>.
    /// </summary>
    public bool Tunnels { get; set; } = true;

    /// <summary>Whether each plain request that was balanced gets a line when it has ended. Default <see langword="false"/>.</summary>
    public bool Requests { get; set; }
}
