namespace StickyWs.Configuration;

/// <summary>Validation of a pool's <see cref="HealthOptions"/> beyond ranges.</summary>
internal static class HealthRules
{
    public static void Check(string key, HealthOptions health, List<string> errors)
    {
        StickyWsOptionsValidator.Add(errors, new PassiveRanges().Validate($"{key}:Passive", health.Passive));
        string[] kinds = [.. Kinds(health)];
        if (kinds.Length > 1) errors.Add(OptionsError.Of(key, string.Join(", ", kinds), "keep one kind of probe per pool"));
        if (health.Http is { } http)
        {
            CheckProbe($"{key}:Http", http, errors);
            CheckRequest($"{key}:Http", http.Path, http.Host, http.Headers, errors);
            if (!Token.Is(http.Method)) errors.Add(OptionsError.Of($"{key}:Http:Method", http.Method, "use an HTTP method such as GET or HEAD"));
            if (!StatusRanges.TryParse(http.ExpectedStatus, out _))
            {
                const string Remedy = "use statuses from 100 to 599 and ranges of them, such as 200,204 or 200-399";
                errors.Add(OptionsError.Of($"{key}:Http:ExpectedStatus", http.ExpectedStatus, Remedy));
            }
        }

        if (health.Tcp is { } tcp) CheckProbe($"{key}:Tcp", tcp, errors);
        if (health.Tls is { } tls) CheckProbe($"{key}:Tls", tls, errors);
        if (health.WebSocket is not { } webSocket) return;
        CheckProbe($"{key}:WebSocket", webSocket, errors);
        CheckRequest($"{key}:WebSocket", webSocket.Path, webSocket.Host, webSocket.Headers, errors);
        if (webSocket.Subprotocol is { } subprotocol && !Token.Is(subprotocol))
            errors.Add(OptionsError.Of($"{key}:WebSocket:Subprotocol", subprotocol, "use one subprotocol name"));
    }

    private static IEnumerable<string> Kinds(HealthOptions health)
    {
        if (health.Http is not null) yield return nameof(health.Http);
        if (health.Tcp is not null) yield return nameof(health.Tcp);
        if (health.Tls is not null) yield return nameof(health.Tls);
        if (health.WebSocket is not null) yield return nameof(health.WebSocket);
    }

    private static void CheckProbe(string key, ProbeOptions probe, List<string> errors)
        => StickyWsOptionsValidator.Add(errors, new ProbeRanges().Validate(key, probe));

    private static void CheckRequest(string key, string path, string? host, IDictionary<string, string> headers, List<string> errors)
    {
        if (!path.StartsWith('/') || path.AsSpan().ContainsAnyExceptInRange('!', '~') || path.Contains('#', StringComparison.Ordinal))
            errors.Add(OptionsError.Of($"{key}:Path", path, "use an encoded request target that starts with a slash, such as /healthz"));
        if (host is not null && (host.Length == 0 || host.AsSpan().ContainsAnyExceptInRange('!', '~')))
            errors.Add(OptionsError.Of($"{key}:Host", host, "use a host as a client would send it, such as chat.example.com or chat.example.com:8080"));
        foreach (var (name, value) in headers)
        {
            if (!Token.Is(name) || value.AsSpan().ContainsAny('\r', '\n', '\0'))
                errors.Add(OptionsError.Of($"{key}:Headers:{name}", value, "use a valid header name, and a value without line breaks"));
        }
    }
}
