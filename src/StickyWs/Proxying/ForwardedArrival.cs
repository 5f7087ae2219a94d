using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Detection;

namespace StickyWs.Proxying;

/// <summary>
/// What a request said of its client when it came (<see cref="ForwardedNames"/>). A stranger's word is dropped; what the application says by such a name (<c>X-Forwarded-User</c>) is passed on, and no client can take it away
/// by saying it first.
/// </summary>
internal sealed class ForwardedArrival
{
    private const string Prefix = "X-Forwarded-Prefix";
    private const string Standard = "Forwarded";

    private readonly Dictionary<string, StringValues> _sent = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Notes what has just come.</summary>
    public static void Note(HttpContext context)
    {
        ForwardedArrival? arrival = null;
        foreach (var (name, values) in context.Request.Headers)
        {
            if (ForwardedNames.IsOne(name)) (arrival ??= new ForwardedArrival())._sent[name] = values;
        }

        if (arrival is not null) context.Features.Set(arrival);
    }

    /// <summary>Whether the application has set a header. Of the three that are written anew it does not matter.</summary>
    public static bool IsOfApplication(HttpContext context, string name, StringValues values)
        => !IsWrittenAnew(name) && !ForwardedNames.IsFake(name) && (context.Features.Get<ForwardedArrival>() is not { } arrival || arrival.IsOther(name, values));

    /// <summary>The names of the headers that the application has set.</summary>
    public static IReadOnlyCollection<string> OfApplication(HttpContext context)
    {
        List<string>? names = null;
        foreach (var (name, values) in context.Request.Headers)
        {
            if (ForwardedNames.IsOne(name) && IsOfApplication(context, name, values)) (names ??= []).Add(name);
        }

        return names ?? (IReadOnlyCollection<string>)[];
    }

    public static bool IsWrittenAnew(string name)
        => name.Equals(ForwardedHeaders.For, StringComparison.OrdinalIgnoreCase) || name.Equals(ForwardedHeaders.Proto, StringComparison.OrdinalIgnoreCase) || name.Equals(ForwardedHeaders.Host, StringComparison.OrdinalIgnoreCase);

    // The framework's own middleware leaves a part of what the client sent in some; any other is the client's as long as nobody has put another value there.
    private bool IsOther(string name, StringValues values)
        => !_sent.TryGetValue(name, out var sent)
            || (!name.Equals(Prefix, StringComparison.OrdinalIgnoreCase) && !name.Equals(Standard, StringComparison.OrdinalIgnoreCase) && !IsSame(sent, values));

    private static bool IsSame(StringValues sent, StringValues values)
    {
        if (sent.Count != values.Count) return false;
        for (var i = 0; i < sent.Count; i++)
        {
            if (!ReferenceEquals(sent[i], values[i])) return false;
        }

        return true;
    }
}
