using System.Text;
using System.Text.RegularExpressions;
using StickyWs.TestKit.Schema;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

/// <summary>The page of all instruments, made from what an exporter sees.</summary>
public sealed partial class MetricsPageTests
{
    private const string Path = "src/StickyWs/Observability/METRICS.md";

    /// <summary>Set to 1, the variable has the page written.</summary>
    private const string WriteVariable = "STICKYWS_WRITE_METRICS";

    // Units of UCUM, and its annotations.
    private static readonly string[] Units = ["s", "By"];

    private static readonly IReadOnlyList<Instrumented> Recorded = Record();

    [Fact]
    public void Page_Instruments_AreTheMeters()
    {
        if (GeneratedFile.Difference(Path, Render(), WriteVariable, "the instruments") is { } difference) Assert.Fail(difference);
    }

    [Fact]
    public void Recording_Instruments_AreEveryOneThatTheSourceCreates()
        => Assert.Equal(
            Repository.SourceFiles().SelectMany(file => CreatedInstrument().Matches(File.ReadAllText(file))).Select(match => match.Groups["name"].Value)
                .Order(StringComparer.Ordinal),
            Recorded.Select(one => one.Name));

    [Fact]
    public void Recording_Tags_AreThoseOfTheTagsTable()
        => Assert.Equal(
            Page.Read("src/StickyWs/Observability/README.md").Table("Tags")
                .Where(row => !row[1].Contains("[spans](#traces) only", StringComparison.Ordinal) && !row[1].StartsWith("the same", StringComparison.Ordinal))
                .Select(row => Page.Code(row[0])).Order(StringComparer.Ordinal),
            Recorded.SelectMany(one => one.Tags).Distinct().Order(StringComparer.Ordinal));

    // As OpenTelemetry's conventions have it, and so that Prometheus' translation does not lead two into one.
    [Fact]
    public void Names_OfInstrumentsAndTags_FollowTheConventions()
    {
        Assert.All(Recorded, one =>
        {
            Assert.Matches("^stickyws(\\.[a-z]+(_[a-z]+)*)+$", one.Name);
            Assert.True(Units.Contains(one.Unit) || Annotation().IsMatch(one.Unit), $"{one.Name}: {one.Unit}");
            Assert.EndsWith(".", one.Meaning, StringComparison.Ordinal);
            Assert.All(one.Tags, tag => Assert.Matches("^[a-z]+(\\.[a-z]+(_[a-z]+)*)+$", tag));
        });
        Assert.Distinct(Recorded.SelectMany(one => one.Series));
    }

    // OpenTelemetry reserves a metric's name: no other may begin with it and a dot. One name is older than this rule.
    [Fact]
    public void Names_OfInstruments_AreNoNamespaceOfAnother()
        => Assert.Equal(
            ["stickyws.requests"],
            Recorded.Select(one => one.Name).Where(name => Recorded.Any(other => other.Name.StartsWith(name + ".", StringComparison.Ordinal))));

    private static IReadOnlyList<Instrumented> Record()
    {
        using var meter = new MeterRecording();
        return meter.Record();
    }

    private static string Render()
    {
        var page = new StringBuilder();
        page.Append("# Metrics\n\nWhich instruments does the meter `StickyWs` have?\n\n")
            .Append("This page is made from the instruments by a test (`STICKYWS_WRITE_METRICS=1` has it written). What the tags' values mean,\n")
            .Append("and more about some instruments, is on the [page about all that is reported](README.md#metrics).\n\n")
            .Append("The last column but one is the name that OpenTelemetry's exporters use for Prometheus; of a histogram, `_bucket`, `_sum` and\n")
            .Append("`_count` come after it. Tags have an underscore for each dot there.\n\n")
            .Append("| instrument | kind | unit | tags | in Prometheus | what |\n|---|---|---|---|---|---|\n");
        foreach (var one in Recorded)
        {
            var tags = string.Join(", ", one.Tags.OrderBy(Rank).Select(tag => $"`{tag}`"));
            page.Append($"| `{one.Name}` | {one.Kind} | `{one.Unit}` | {tags} | `{one.Prometheus}` | {one.Meaning} |\n");
        }

        return page.ToString();
    }

    private static int Rank(string tag) => tag switch { "stickyws.pool" => 0, "stickyws.backend" => 1, _ => 2 };

    [GeneratedRegex(@"(?:Create\w+(?:<\w+>)?|Times|Count)\(\s*""(?<name>stickyws\.[a-z_.]+)""")]
    private static partial Regex CreatedInstrument();

    [GeneratedRegex("^{[a-z]+}$")]
    private static partial Regex Annotation();
}
