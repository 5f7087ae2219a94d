namespace StickyWs.Tests.Documentation;

/// <param name="Name">The instrument.</param>
/// <param name="Kind">Its kind, in the words of OpenTelemetry.</param>
/// <param name="Unit">Its unit, as of UCUM.</param>
/// <param name="Tags">The tags that it ever has, in order.</param>
/// <param name="Meaning">What it measures.</param>
internal sealed record Instrumented(string Name, string Kind, string Unit, IReadOnlyList<string> Tags, string Meaning)
{
    /// <summary>
    /// Its name in Prometheus, by OpenTelemetry's translation: words in snake case, the unit in full (one in braces is none), and <c>_total</c> for a counter.
    /// </summary>
    public string Prometheus => Name.Replace('.', '_') + Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" } + (Kind == "counter" ? "_total" : "");

    /// <summary>The names of its series in Prometheus: three of a histogram.</summary>
    public IEnumerable<string> Series => Kind == "histogram" ? [$"{Prometheus}_bucket", $"{Prometheus}_sum", $"{Prometheus}_count"] : [Prometheus];

    /// <summary>The names of its labels in Prometheus.</summary>
    public IEnumerable<string> Labels => Tags.Select(tag => tag.Replace('.', '_'));
}
