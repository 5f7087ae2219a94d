using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// Checks <see cref="RedisPinOptions.Configuration"/> part by part. StackExchange.Redis drops an address that it cannot read without a word, and takes a whole
/// <c>redis://</c> address for a host's name, or the rest of a password that holds a comma: so here servers come first, options behind them.
/// </summary>
internal static class ConfigurationText
{
    /// <summary>
    /// What is wrong, as a sentence about the key, or <see langword="null"/>. The text may hold a password: from there on nothing of it is shown.
    /// </summary>
    public static string? ErrorOf(string key, string text)
    {
        var (isBehindOption, isBehindPassword) = (false, false);
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var isOption = part.IndexOf('=', StringComparison.Ordinal) > 0;
            if ((isBehindOption && !isOption) || !IsGood(part, isOption))
            {
                return isBehindPassword || part.Contains('@', StringComparison.Ordinal)
                    ? $"{key} has a part that is not understood, and may be of a password: use host:port, and set the password as Password."
                    : $"{key} has a part '{part.Split('=')[0]}' that is not understood: use host:port, then further servers and options of StackExchange.Redis, with commas between.";
            }

            isBehindOption |= isOption;
            isBehindPassword |= part.Contains("password", StringComparison.OrdinalIgnoreCase);
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
