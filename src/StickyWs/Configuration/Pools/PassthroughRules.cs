namespace StickyWs.Configuration;

/// <summary>
/// What goes together with <see cref="PoolTlsMode"/>. Where TLS is passed through nobody here sees a request, so nothing can depend on one.
/// </summary>
internal static class PassthroughRules
{
    private const string Unseen = "requests are not seen where TLS is passed through";

    public static void Check(string key, PoolOptions pool, List<string> errors)
    {
        StickyWsOptionsValidator.CheckChoice($"{key}:Tls:Mode", pool.Tls.Mode, errors);
        CheckNames($"{key}:Match:ServerNames", pool.Match.ServerNames, errors);
        if (pool.IsPassthrough) CheckPassthrough(key, pool, errors);
        else CheckTerminate(key, pool, errors);
    }

    /// <summary>Says how a backend's address is written in the pool, if it is not written so.</summary>
    public static string? RemedyFor(string address, bool isPassthrough)
    {
        var isOne = Uri.TryCreate(address, UriKind.Absolute, out var uri) && HasScheme(uri, isPassthrough)
            && uri is { PathAndQuery: "/", Fragment: "", UserInfo: "", Port: > 0 } && uri.Host.Length > 0;
        if (isOne) return null;
        return isPassthrough
            ? "use tcp://host:port, without path, query or user info, since the TLS that passes through is not the balancer's"
            : "use http://host:port or https://host:port, without path, query or user info";
    }

    private static void CheckTerminate(string key, PoolOptions pool, List<string> errors)
    {
        if (pool.Match.ServerNames.Count > 0)
            errors.Add(OptionsError.Of($"{key}:Match:ServerNames", Text(pool.Match.ServerNames), "use Hosts, or set Tls to Passthrough"));
        if (pool.Health.Tls is null) return;
        const string Remedy = "use Tcp, which does the TLS handshake with https backends, or set the pool's Tls to Passthrough";
        errors.Add(OptionsError.Of($"{key}:Health", "Tls", Remedy));
    }

    private static void CheckPassthrough(string key, PoolOptions pool, List<string> errors)
    {
        const string Remedy = "name the servers whose TLS is passed through, such as mail.example.com or *.example.com";
        if (pool.Match.ServerNames.Count == 0) errors.Add(OptionsError.Of($"{key}:Match:ServerNames", null, Remedy));
        Refuse($"{key}:Match:Hosts", Text(pool.Match.Hosts), "ServerNames");
        Refuse($"{key}:Match:PathPrefixes", Text(pool.Match.PathPrefixes), "ServerNames");
        for (var i = 0; i < pool.Affinity.Rules.Count; i++)
        {
            if (pool.Affinity.Rules[i].ClientAddress is null) Refuse($"{key}:Affinity:Rules:{i}", "a rule for requests", "ClientAddress");
        }

        Remove($"{key}:Affinity:RevealBackend", pool.Affinity.RevealBackend, "true");
        Remove($"{key}:WebSockets", pool.WebSockets != WebSocketMode.Sniffed, pool.WebSockets.ToString());
        Remove($"{key}:Upgrades", pool.Upgrades.Count > 0, Text(pool.Upgrades)!);
        Remove($"{key}:Tunnels:Ping:Interval", pool.Tunnels.Ping.Interval is not null, $"{pool.Tunnels.Ping.Interval:c}");
        Remove($"{key}:Http", pool.Http != HttpMode.Pipeline, pool.Http.ToString());
        Remove($"{key}:HttpVersion", pool.HttpVersion != BackendHttpVersion.Auto, pool.HttpVersion.ToString());
        Remove($"{key}:Timeouts:Request", pool.Timeouts.Request is not null, pool.Timeouts.Request.ToString()!);
        Refuse($"{key}:Health", pool.Health.Http is null ? null : nameof(pool.Health.Http), "Tcp or Tls");
        Refuse($"{key}:Health", pool.Health.WebSocket is null ? null : nameof(pool.Health.WebSocket), "Tcp or Tls");
        if (pool.Health.Tls is not null && NameForProbe(pool) is null)
            errors.Add(OptionsError.Of($"{key}:Tls:ServerName", null, "name the server that the Tls probe asks for, since ServerNames has wildcards only"));

        void Refuse(string at, string? value, string instead)
        {
            if (value is not null) errors.Add(OptionsError.Of(at, value, $"use {instead}, since {Unseen}"));
        }

        void Remove(string at, bool isSet, string value)
        {
            if (isSet) errors.Add(OptionsError.Of(at, value, $"remove it, since {Unseen}"));
        }
    }

    /// <summary>The server that a TLS probe asks for: as configured, or else the first exact name.</summary>
    public static string? NameForProbe(PoolOptions pool) => pool.Tls.ServerName ?? pool.Match.ServerNames.FirstOrDefault(name => !name.StartsWith('*'));

    private static void CheckNames(string key, IList<string> names, List<string> errors)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (IsServerName(names[i])) continue;
            const string Remedy = "use a name as clients send it in ASCII, such as mail.example.com or xn--bcher-kva.example, or *.example.com";
            errors.Add(OptionsError.Of($"{key}:{i}", names[i].Length == 0 ? null : names[i], Remedy));
        }
    }

    // What the ClientHello's reader takes for a name, so that none is written that no client can match.
    private static bool IsServerName(string name)
    {
        var host = name.StartsWith("*.", StringComparison.Ordinal) ? name.AsSpan(2) : name;
        if (host.Length is 0 or > 253) return false;
        var last = ReadOnlySpan<char>.Empty;
        foreach (var range in host.Split('.'))
        {
            last = host[range];
            if (last.Length is 0 or > 63) return false;
            foreach (var letter in last)
            {
                if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')) return false;
            }
        }

        return last.ContainsAnyExceptInRange('0', '9');
    }

    private static bool HasScheme(Uri address, bool isPassthrough)
        => isPassthrough ? address.Scheme == "tcp" : address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps;

    private static string? Text(IList<string> list) => list.Count == 0 ? null : string.Join(", ", list);
}
