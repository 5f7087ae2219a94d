using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// Checks <see cref="RedisPinOptions.Configuration"/> part by part. StackExchange.Redis silently drops an address that it cannot read. It also takes
/// a whole <c>redis://</c> address, or the rest of a password with a comma, for a host name. So servers must come first here, and options after them.
/// </summary>
internal static class ConfigurationText
{
    /// <summary>
    /// The error, as a sentence about the key, or <see langword="null"/>. Nothing is quoted that might be part of a password.
    /// </summary>
    public static string? ErrorOf(string key, string text)
    {
        var (isAfterOption, isAfterPassword) = (false, false);
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var isOption = part.IndexOf('=', StringComparison.Ordinal) > 0;
            if ((isAfterOption && !isOption) || !IsGood(part, isOption))
            {
                return isAfterPassword || part.Contains('@', StringComparison.Ordinal)
                    ? $"{key} has a part that cannot be parsed and may belong to a password: use host:port, and set the password as Password."
                    : $"{key} has a part '{part.Split('=')[0]}' that cannot be parsed: "
                        + "use host:port, then further servers and options of StackExchange.Redis, separated by commas.";
            }

            isAfterOption |= isOption;
            isAfterPassword |= part.Contains("password", StringComparison.OrdinalIgnoreCase);
        }

        return null;
    }

    public static bool HasServer(string text) => ConfigurationOptions.Parse(text).EndPoints.Count > 0;

    private static bool IsGood(string part, bool isOption)
    {
        try
        {
            var parsed = ConfigurationOptions.Parse(part);
            return isOption || (parsed.EndPoints is [var server] && IsServer(server));
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool IsServer(EndPoint server) => server switch
    {
        DnsEndPoint dns => Uri.CheckHostName(dns.Host) is UriHostNameType.Dns,
        IPEndPoint ip => !ip.Address.Equals(IPAddress.Any) && !ip.Address.Equals(IPAddress.IPv6Any),
        _ => server is UnixDomainSocketEndPoint,
    };
}
