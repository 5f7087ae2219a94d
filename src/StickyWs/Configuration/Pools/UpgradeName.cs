namespace StickyWs.Configuration;

/// <summary>
/// A protocol that a connection is upgraded to (RFC 9110 section 7.8): a name, optionally followed by a slash and a version. Case-insensitive.
/// </summary>
internal static class UpgradeName
{
    public const string WebSocket = "websocket";

    private const int Longest = 100;

    public static bool Is(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return text.Length <= Longest && (slash < 0 ? Token.Is(text) : Token.Is(text[..slash]) && Token.Is(text[(slash + 1)..]));
    }

    public static bool IsWebSocket(string text) => text.Equals(WebSocket, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether it is another form of HTTP itself. Ordinary clients (curl, Java's HttpClient, Apache HttpClient) offer these and continue in HTTP/1.1
    /// when the offer is ignored. Inside a tunnel such a protocol would carry requests past every rule (h2c smuggling).
    /// </summary>
    public static bool IsHttp(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var name = slash < 0 ? text : text[..slash];
        return Array.Exists(["h2c", "h2", "HTTP", "TLS"], http => http.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    public static void Check(string key, IList<string> upgrades, List<string> errors)
    {
        for (var i = 0; i < upgrades.Count; i++)
        {
            if (RemedyFor(upgrades[i]) is { } remedy) errors.Add(OptionsError.Of($"{key}:{i}", upgrades[i].Length == 0 ? null : upgrades[i], remedy));
        }
    }

    private static string? RemedyFor(string text)
    {
        if (!Is(text)) return "use the name of a protocol as clients write it into Upgrade, such as tcp or SPDY/3.1";
        if (IsWebSocket(text)) return "remove it, since WebSockets are always tunnelled";
        return IsHttp(text) ? "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1" : null;
    }
}
