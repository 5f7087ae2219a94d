using System.Text;
using Microsoft.AspNetCore.Http;

namespace StickyWs.Configuration;

/// <summary>Validation of a pool's <see cref="AffinityOptions"/> beyond ranges.</summary>
internal static class AffinityRules
{
    /// <summary>The longest name that fits into the cookie.</summary>
    public const int LongestBackendName = 200;

    private const string KnownKinds = "Cookie, Header, Query, PathSegment, ClientAddress, SignalR, SocketIO, Learn";

    public static void Check(string poolKey, PoolOptions pool, List<string> errors)
    {
        var key = $"{poolKey}:Affinity";
        var affinity = pool.Affinity;
        StickyWsOptionsValidator.Add(errors, new AffinityRanges().Validate(key, affinity));
        for (var i = 0; i < affinity.Rules.Count; i++) CheckRule($"{key}:Rules:{i}", affinity.Rules[i], errors);
        var cookies = affinity.Rules.Count(rule => rule.Cookie is not null);
        if (cookies > 1)
            errors.Add(OptionsError.Of($"{key}:Rules", "more than one Cookie", "keep one rule of this kind per pool"));
        if (cookies == 0) return;
        foreach (var name in pool.Backends.Keys.Where(name => Encoding.UTF8.GetByteCount(name) > LongestBackendName))
        {
            var remedy = $"use a name of at most {LongestBackendName} bytes, since the Cookie rule writes it into the cookie";
            errors.Add(OptionsError.Of($"{poolKey}:Backends", name, remedy));
        }
    }

    /// <summary>Finds cookies of two pools that a browser treats as the same one: each pool's response would overwrite the other's.</summary>
    public static void CheckTogether(string poolsKey, IEnumerable<KeyValuePair<string, PoolOptions>> pools, List<string> errors)
    {
        var owners = new List<(string Pool, MatchOptions Match, CookieAffinityOptions Cookie)>();
        foreach (var (name, pool) in pools)
        {
            if (pool.Affinity.Rules.FirstOrDefault(rule => rule.Cookie is not null)?.Cookie is not { } cookie) continue;
            var same = owners.Find(other
                => IsOneCookie(other.Cookie, cookie) && (cookie.Domain is not null || MatchRules.HaveCommonHost(other.Match, pool.Match)));
            if (same.Pool is not null)
            {
                errors.Add($"{poolsKey}:{name}:Affinity:Rules has a Cookie '{cookie.Name}' that browsers take for that of pool '{same.Pool}': "
                    + "give one of them another Name, or a Path that is not the other's.");
            }

            owners.Add((name, pool.Match, cookie));
        }
    }

    private static bool IsOneCookie(CookieAffinityOptions one, CookieAffinityOptions other)
        => one.Name == other.Name && one.Path == other.Path
            && string.Equals(one.Domain?.TrimStart('.'), other.Domain?.TrimStart('.'), StringComparison.OrdinalIgnoreCase);

    private static void CheckRule(string key, AffinityRuleOptions rule, List<string> errors)
    {
        string[] kinds = [.. Kinds(rule)];
        if (kinds.Length != 1)
            errors.Add(OptionsError.Of(key, kinds.Length == 0 ? null : string.Join(", ", kinds), $"write exactly one of {KnownKinds} into each rule"));
        if (rule.Cookie is { } cookie) CheckCookie($"{key}:Cookie", cookie, errors);
        if (rule.Header is { } header) CheckName($"{key}:Header:Name", header.Name, "use the name of a request header", errors);
        if (rule.Query is { Name: "" }) errors.Add(OptionsError.Of($"{key}:Query:Name", null, "use the name of a parameter of the query"));
        if (rule.PathSegment is { } segment) StickyWsOptionsValidator.Add(errors, new PathSegmentRanges().Validate($"{key}:PathSegment", segment));
        if (rule.ClientAddress is { } address) StickyWsOptionsValidator.Add(errors, new ClientAddressRanges().Validate($"{key}:ClientAddress", address));
        if (rule.Learn is { } learn) CheckLearn($"{key}:Learn", learn, errors);
    }

    /// <summary>The kinds that a rule is of: one, once it is valid.</summary>
    public static IEnumerable<string> Kinds(AffinityRuleOptions rule)
    {
        if (rule.Cookie is not null) yield return nameof(rule.Cookie);
        if (rule.Header is not null) yield return nameof(rule.Header);
        if (rule.Query is not null) yield return nameof(rule.Query);
        if (rule.PathSegment is not null) yield return nameof(rule.PathSegment);
        if (rule.ClientAddress is not null) yield return nameof(rule.ClientAddress);
        if (rule.SignalR is not null) yield return nameof(rule.SignalR);
        if (rule.SocketIO is not null) yield return nameof(rule.SocketIO);
        if (rule.Learn is not null) yield return nameof(rule.Learn);
    }

    private static void CheckCookie(string key, CookieAffinityOptions cookie, List<string> errors)
    {
        StickyWsOptionsValidator.Add(errors, new CookieAffinityRanges().Validate(key, cookie));
        CheckName($"{key}:Name", cookie.Name, "use a cookie name such as StickyWs", errors);
        if (!IsTrueToItsPrefix(cookie))
        {
            const string Remedy = "use another name, or set Secure to Always (for __Host- also Path to / and no Domain), "
                + "since browsers drop such a cookie otherwise";
            errors.Add(OptionsError.Of($"{key}:Name", cookie.Name, Remedy));
        }

        SharedSecrets.Check($"{key}:Keys", cookie.Keys, errors);
        if (!cookie.Path.StartsWith('/') || !IsAttribute(cookie.Path))
            errors.Add(OptionsError.Of($"{key}:Path", cookie.Path, "use a path that starts with a slash"));
        if (cookie.Domain is { } domain && !IsDomain(domain))
            errors.Add(OptionsError.Of($"{key}:Domain", domain, "use a domain such as example.com"));
        StickyWsOptionsValidator.CheckChoice($"{key}:SameSite", cookie.SameSite, errors);
        StickyWsOptionsValidator.CheckChoice($"{key}:Secure", cookie.Secure, errors);
        if (cookie.SameSite == SameSiteMode.None && cookie.Secure != CookieSecurePolicy.Always)
            errors.Add(OptionsError.Of($"{key}:SameSite", "None", "use Lax, or set Secure to Always, since browsers drop such a cookie otherwise"));
        if (cookie.Partitioned && cookie.Secure != CookieSecurePolicy.Always)
            errors.Add(OptionsError.Of($"{key}:Partitioned", "true", "set Secure to Always too, or remove it, since browsers drop such a cookie otherwise"));
    }

    private static bool IsDomain(string text)
        => text.Length > 0 && Uri.CheckHostName(text.StartsWith('.') ? text[1..] : text) == UriHostNameType.Dns && Ascii.IsValid(text);

    private static void CheckLearn(string key, LearnAffinityOptions learn, List<string> errors)
    {
        if (learn.Cookie is null == learn.Header is null)
            errors.Add(OptionsError.Of(key, learn.Cookie is null ? null : "Cookie, Header", "write exactly one of Cookie and Header"));
        if (learn.Cookie is { } cookie) CheckName($"{key}:Cookie", cookie, "use the name of a cookie that backends set", errors);
        if (learn.Header is { } header) CheckName($"{key}:Header", header, "use the name of a header that backends answer with", errors);
    }

    private static void CheckName(string key, string name, string remedy, List<string> errors)
    {
        if (!Token.Is(name)) errors.Add(OptionsError.Of(key, name.Length == 0 ? null : name, remedy));
    }

    // RFC 6265bis section 4.1.3.
    private static bool IsTrueToItsPrefix(CookieAffinityOptions cookie)
    {
        var isOfHost = cookie.Name.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase);
        if (!isOfHost && !cookie.Name.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase)) return true;
        return cookie.Secure == CookieSecurePolicy.Always && (!isOfHost || (cookie.Path == "/" && cookie.Domain is null));
    }

    private static bool IsAttribute(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.Contains(';', StringComparison.Ordinal);
}
