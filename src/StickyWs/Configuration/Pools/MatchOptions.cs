namespace StickyWs.Configuration;

/// <summary>Which requests belong to a pool. One of the hosts and one of the path prefixes must match; an empty list matches everything.</summary>
public sealed class MatchOptions
{
    /// <summary>
    /// Hosts without a port: exact (<c>chat.example.com</c>) or with a wildcard for one or more leading labels (<c>*.example.com</c>). An exact host
    /// takes precedence over a wildcard, a longer wildcard over a shorter one. Default: every host.
    /// </summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>
    /// Path prefixes, matched on whole segments: <c>/chat</c> matches <c>/chat</c> and <c>/chat/room</c>, not <c>/chatter</c>. Case-insensitive, as
    /// in ASP.NET Core. The longest match wins. Default: every path.
    /// </summary>
    public IList<string> PathPrefixes { get; } = [];
}
