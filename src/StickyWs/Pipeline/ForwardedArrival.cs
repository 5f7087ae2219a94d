using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Http1;

namespace StickyWs.Pipeline;

/// <summary>
/// What a request said of its client when it came (<see cref="ForwardedNames"/>). A stranger's word is dropped; what the application says by such a
/// name (<c>X-Forwarded-User</c>) is passed on, and no client can take it away by saying it first. The three that are written anew are nobody's.
/// </summary>
internal sealed class ForwardedArrival(string[] trimmed)
{
    private readonly Dictionary<string, StringValues> _sent = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of the headers of which the framework's own middleware leaves the part that it does not trust.</summary>
    public static string[] Trimmed(ForwardedHeadersOptions options)
        => [options.ForwardedForHeaderName, options.ForwardedProtoHeaderName, options.ForwardedHostHeaderName, options.ForwardedPrefixHeaderName];

    /// <summary>Notes what has just come.</summary>
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

    // A value is the client's as long as it is the very string that came, and so is what stands before a comma behind which the application has added its own.
    private static string? Without(string? value, StringValues sent, bool isTrimmed)
    {
        foreach (var one in sent)
        {
            if (string.IsNullOrEmpty(value) || ReferenceEquals(value, one)) return null;
            if (string.IsNullOrEmpty(one)) continue;
            if (isTrimmed && one.StartsWith(value, StringComparison.Ordinal)) return null;
            if (value.Length > one.Length && value[one.Length] == ',' && value.StartsWith(one, StringComparison.Ordinal)) value = value[(one.Length + 1)..].TrimStart();
        }

        return value;
    }
}
