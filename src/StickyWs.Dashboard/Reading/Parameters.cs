using System.Globalization;
using Microsoft.AspNetCore.Http;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Reading;

/// <summary>The parameters of a request's query. One that is unknown, given twice or malformed is a problem that names it.</summary>
internal sealed class Parameters
{
    private readonly IQueryCollection _query;

    /// <param name="query">The query.</param>
    /// <param name="known">The parameters that there are.</param>
    public Parameters(IQueryCollection query, params string[] known)
    {
        _query = query;
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                var remedy = known.Length == 0 ? "use none here" : $"use {string.Join(", ", known)}";
                throw new ProblemException(Problem.BadParameter(name, values.ToString(), remedy));
            }

            if (values.Count > 1) throw new ProblemException(Problem.BadParameter(name, values.ToString(), "give it once"));
        }
    }

    public string? Text(string name) => _query.TryGetValue(name, out var value) ? value.ToString() : null;

    public int Number(string name, int fallback, int minimum, int maximum)
    {
        if (Text(name) is not { } text) return fallback;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum) return number;
        throw Bad(name, $"use a number from {minimum} to {maximum}");
    }

    public T Choice<T>(string name, T fallback, params (string Word, T Value)[] choices)
    {
        if (Text(name) is not { } text) return fallback;
        foreach (var (word, value) in choices)
        {
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase)) return value;
        }

        throw Bad(name, $"use {string.Join(" or ", choices.Select(choice => choice.Word))}");
    }

    public bool Flag(string name, bool fallback = false) => Choice(name, fallback, ("true", true), ("false", false));

    /// <summary>A duration of 0 to <paramref name="maximum"/>.</summary>
    public TimeSpan? Duration(string name, TimeSpan maximum)
    {
        if (Text(name) is not { } text) return null;
        if (Durations.TryParse(text, out var duration) && duration <= maximum) return duration;
        throw Bad(name, $"use seconds or a number with s, m, h or d, at most {maximum.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
    }

    public ProblemException Bad(string name, string remedy) => new(Problem.BadParameter(name, Text(name), remedy));
}
