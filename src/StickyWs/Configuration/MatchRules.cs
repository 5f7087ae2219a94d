using System.Text;

namespace StickyWs.Configuration;

/// <summary>The rules of a pool's <see cref="MatchOptions"/>.</summary>
internal static class MatchRules
{
    public static void Check(string key, MatchOptions match, List<string> errors)
    {
        for (var i = 0; i < match.Hosts.Count; i++)
        {
            if (!IsHost(match.Hosts[i]))
                errors.Add(OptionsError.Of($"{key}:Hosts:{i}", match.Hosts[i], "use a host as clients send it, without a port: a name in ASCII, *.name, an IPv4 address, or an IPv6 address in brackets"));
        }

        for (var i = 0; i < match.PathPrefixes.Count; i++)
        {
            var prefix = match.PathPrefixes[i];
            if (!prefix.StartsWith('/') || prefix.AsSpan().IndexOfAny("?#%") >= 0 || prefix.Contains("//", StringComparison.Ordinal))
                errors.Add(OptionsError.Of($"{key}:PathPrefixes:{i}", prefix, "use a decoded path that starts with a slash, such as /chat"));
        }
    }

    private static bool IsHost(string host) => Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host) switch
    {
        UriHostNameType.Dns => Ascii.IsValid(host),
        UriHostNameType.IPv4 => true,
        UriHostNameType.IPv6 => host.StartsWith('['),
        _ => false,
    };
}
