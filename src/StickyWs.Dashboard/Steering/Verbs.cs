using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Steering;

/// <summary>The verbs as a path has them, after the last colon.</summary>
internal static class Verbs
{
    private static readonly Dictionary<string, Verb> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["stop"] = Verb.Stop,
        ["hand-off"] = Verb.HandOff,
        ["drain"] = Verb.HandOff, // The word of deploy scripts.
        ["cut"] = Verb.Cut,
        ["undrain"] = Verb.Undrain,
        ["weight"] = Verb.Weight,
    };

    public static IReadOnlyCollection<string> Known => Words.Keys;

    /// <summary>Splits a name and its verb. The name may have colons of its own.</summary>
    public static (string Name, string Word) Split(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
    }

    public static Verb Parse(string word) => Words.TryGetValue(word, out var verb)
        ? verb
        : throw new ProblemException(Problem.NotFound(
            $"There is no action '{Problem.Cut(word)}': add one after the name and a colon.", Words.Keys.Select(known => ":" + known)));
}
