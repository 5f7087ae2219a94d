using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Http1;

namespace StickyWs.Pipeline;

/// <summary>
/// The forwarded headers of a request as it arrived (<see cref="ForwardedNames"/>). Those of an untrusted client are dropped. Those that the
/// application set itself (<c>X-Forwarded-User</c>) are passed on, and a client cannot suppress them by sending the same name. The three that are
/// rewritten are dropped in any case.
/// </summary>
internal sealed class ForwardedArrival(string[] trimmed)
{
    private readonly Dictionary<string, StringValues> _sent = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The headers in which the framework's middleware leaves the part that it does not trust.</summary>
    public static string[] Trimmed(ForwardedHeadersOptions options)
        => [options.ForwardedForHeaderName, options.ForwardedProtoHeaderName, options.ForwardedHostHeaderName, options.ForwardedPrefixHeaderName];

    /// <summary>Notes the headers of a request that has just arrived.</summary>
    public static void Note(HttpContext context, string[] trimmed)
    {
        ForwardedArrival? arrival = null;
        foreach (var (name, values) in context.Request.Headers)
        {
            if (ForwardedNames.IsOne(name.AsSpan())) (arrival ??= new ForwardedArrival(trimmed))._sent[name] = values;
        }

        if (arrival is not null) context.Features.Set(arrival);
    }

    /// <summary>The values of a header that go on to the backend: a trusted proxy's, or those that the application has set.</summary>
    public static StringValues Passed(HttpContext context, string name, StringValues values, bool isTrusted)
    {
        if (!ForwardedNames.Passes(name.AsSpan(), isTrusted, isOfApplication: true)) return StringValues.Empty;
        if (isTrusted || context.Features.Get<ForwardedArrival>() is not { } arrival || !arrival._sent.TryGetValue(name, out var sent)) return values;
        return arrival.Others(name, sent, values);
    }

    private StringValues Others(string name, StringValues sent, StringValues values)
    {
        var isTrimmed = Array.Exists(trimmed, one => one.Equals(name, StringComparison.OrdinalIgnoreCase));
        var others = new List<string?>();
        foreach (var value in values)
        {
            if (Without(value, sent, isTrimmed) is { Length: > 0 } other) others.Add(other);
        }

        return new StringValues([.. others]);
    }

    // A value is the client's if it is the very string that arrived. If the application appended to it after a comma, only that part is the
    // application's.
    private static string? Without(string? value, StringValues sent, bool isTrimmed)
    {
        foreach (var one in sent)
        {
            if (string.IsNullOrEmpty(value) || ReferenceEquals(value, one)) return null;
            if (string.IsNullOrEmpty(one)) continue;
            if (isTrimmed && one.StartsWith(value, StringComparison.Ordinal)) return null;
            var isAppended = value.Length > one.Length && value[one.Length] == ',' && value.StartsWith(one, StringComparison.Ordinal);
            if (isAppended) value = value[(one.Length + 1)..].TrimStart();
        }

        return value;
    }
}
