namespace StickyWs.Configuration;

/// <summary>The rules of a pool's <see cref="MatchOptions"/>.</summary>
internal static class MatchRules
{
    public static void Check(string key, MatchOptions match, List<string> errors)
    {
        for (var i = 0; i < match.Hosts.Count; i++)
        {
            if (!IsHost(match.Hosts[i]))
                errors.Add(OptionsError.Of($"{key}:Hosts:{i}", match.Hosts[i], "use a host name without a port, or *.name"));
        }

        for (var i = 0; i < match.PathPrefixes.Count; i++)
        {
            var prefix = match.PathPrefixes[i];
            if (!prefix.StartsWith('/') || prefix.AsSpan().IndexOfAny("?#%") >= 0 || prefix.Contains("//", StringComparison.Ordinal))
                errors.Add(OptionsError.Of($"{key}:PathPrefixes:{i}", prefix, "use a decoded path that starts with a slash, such as /chat"));
        }
    }

    private static bool IsHost(string host)
    {
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        return Uri.CheckHostName(name) != UriHostNameType.Unknown || (name.StartsWith('[') && Uri.CheckHostName(name.Trim('[', ']')) == UriHostNameType.IPv6);
    }
}
