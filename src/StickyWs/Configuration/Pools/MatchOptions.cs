namespace StickyWs.Configuration;

/// <summary>Which requests belong to a pool: one of the hosts and one of the path prefixes must fit; an empty list fits everything.</summary>
public sealed class MatchOptions
{
    /// <summary>
    /// Hosts without a port: exact (<c>chat.example.com</c>) or a wildcard for one or more labels in front (<c>*.example.com</c>).
    /// An exact host wins over a wildcard, a longer wildcard over a shorter. Default: every host.
    /// </summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>
    /// Path prefixes, on whole segments: <c>/chat</c> fits <c>/chat</c> and <c>/chat/room</c>, not <c>/chatter</c>.
    /// Compared without case, as ASP.NET Core does. The longest wins. Default: every path.
    /// </summary>
    public IList<string> PathPrefixes { get; } = [];
}
