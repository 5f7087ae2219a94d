namespace StickyWs.Configuration;

/// <summary>
/// Which requests belong to a pool. One of the hosts and one of the path prefixes must match; an empty list matches everything. Of a pool whose TLS is
/// passed through: which connections.
/// </summary>
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

    /// <summary>
    /// The server names (SNI, RFC 6066 section 3) of a pool with <see cref="PoolTlsMode.Passthrough"/>, which needs at least one: exact
    /// (<c>mail.example.com</c>) or with a wildcard for exactly one leading label, as in certificates (<c>*.example.com</c>). An exact name takes
    /// precedence. Case-insensitive; international names as A-labels (<c>xn--...</c>). Default: none.
    /// </summary>
    public IList<string> ServerNames { get; } = [];
}
