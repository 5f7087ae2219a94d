using System.Text;

namespace StickyWs.Configuration;

/// <summary>Validation of a pool's <see cref="MatchOptions"/>.</summary>
internal static class MatchRules
{
    public static void Check(string key, MatchOptions match, List<string> errors)
    {
        for (var i = 0; i < match.Hosts.Count; i++)
        {
            if (!IsHost(match.Hosts[i]))
            {
                const string Remedy = "use a host as clients send it, without a port: a name in ASCII, *.name, an IPv4 address, or an IPv6 address in brackets";
                errors.Add(OptionsError.Of($"{key}:Hosts:{i}", match.Hosts[i], Remedy));
            }
        }

        for (var i = 0; i < match.PathPrefixes.Count; i++)
        {
            var prefix = match.PathPrefixes[i];
            if (!prefix.StartsWith('/') || prefix.AsSpan().IndexOfAny("?#%") >= 0 || prefix.Contains("//", StringComparison.Ordinal))
                errors.Add(OptionsError.Of($"{key}:PathPrefixes:{i}", prefix, "use a decoded path that starts with a slash, such as /chat"));
        }
    }

    /// <summary>Whether requests to the same host may match both.</summary>
    public static bool HaveCommonHost(MatchOptions one, MatchOptions other)
        => one.Hosts.DefaultIfEmpty("*").Any(host => other.Hosts.DefaultIfEmpty("*").Any(otherHost =>
            host.Equals(otherHost, StringComparison.OrdinalIgnoreCase)
            || (LeavesPaths(one) && Covers(otherHost, host))
            || (LeavesPaths(other) && Covers(host, otherHost))));

    // The more specific host is tried first, and leaves the paths that its prefixes do not match to the other one.
    private static bool LeavesPaths(MatchOptions match) => match.PathPrefixes.Count > 0 && !match.PathPrefixes.Contains("/");

    private static bool Covers(string wide, string narrow) => wide.StartsWith('*') && narrow.EndsWith(wide[1..], StringComparison.OrdinalIgnoreCase);

    private static bool IsHost(string host) => Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host) switch
    {
        UriHostNameType.Dns => Ascii.IsValid(host),
        UriHostNameType.IPv4 => true,
        UriHostNameType.IPv6 => host.StartsWith('['),
        _ => false,
    };
}
