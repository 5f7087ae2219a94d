using System.Text.Json;
using System.Text.RegularExpressions;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

/// <summary>What the dashboard and the alert rules of examples/Observed ask for exists, by the names that Prometheus has for it.</summary>
public sealed partial class ObservedExampleTests
{
    private static readonly Dictionary<string, Instrumented> Series = Record().SelectMany(one => one.Series.Select(name => (name, one)))
        .ToDictionary(pair => pair.name, pair => pair.one);

    // What Prometheus adds.
    private static readonly string[] Foreign = ["up", "job", "instance", "le"];

    [Theory]
    [InlineData("grafana/dashboards/stickyws.json", 60)]
    [InlineData("prometheus/rules.yml", 20)]
    [InlineData("prometheus/rules.test.yml", 20)]
    public void Expressions_Metrics_AreInstruments(string file, int atLeast)
    {
        var names = Expressions(file).SelectMany(MetricsIn).ToList();

        Assert.True(names.Count >= atLeast, $"{names.Count} metrics");
        string[] unknown = [.. names.Distinct().Except(Foreign).Except(Recorded()).Except(Series.Keys)];
        Assert.Empty(unknown);
    }

    // Those of the metric that they stand behind, or that a function groups by.
    [Theory]
    [InlineData("grafana/dashboards/stickyws.json")]
    [InlineData("prometheus/rules.yml")]
    [InlineData("prometheus/rules.test.yml")]
    public void Expressions_Labels_AreTagsOfTheirMetric(string file)
        => Assert.All(Expressions(file), expression =>
        {
            foreach (Match selector in Selector().Matches(expression))
            {
                if (!Series.TryGetValue(selector.Groups["metric"].Value, out var one)) continue; // A recorded one: below.
                var labels = Label().Matches(selector.Groups["labels"].Value).Select(match => match.Groups["label"].Value);
                Assert.Empty(labels.Except(one.Labels).Except(Foreign));
            }

            var all = MetricsIn(expression).Where(Series.ContainsKey).SelectMany(name => Series[name].Labels).ToHashSet();
            if (all.Count == 0) return;
            Assert.Empty(Grouping().Matches(expression).SelectMany(match => match.Groups["labels"].Value.Split(','))
                .Select(label => label.Trim()).Except(all).Except(Foreign));
        });

    [Fact]
    public void Rules_EveryAlert_HasATestThatFiresIt()
        => Assert.Equal(
            Alert().Matches(Read("prometheus/rules.yml")).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal),
            FiringTest().Matches(Read("prometheus/rules.test.yml")).Select(match => match.Groups["name"].Value).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Dashboard_Panels_AskWhatIsProvisioned()
    {
        using var dashboard = JsonDocument.Parse(Read("grafana/dashboards/stickyws.json"));
        var ids = new List<int>();
        foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            ids.Add(panel.GetProperty("id").GetInt32());
            if (panel.GetProperty("type").GetString() == "row") continue;
            var source = panel.GetProperty("datasource").GetProperty("uid").GetString()!;
            Assert.Contains($"uid: {source}\n", Read("grafana/provisioning/datasources/prometheus.yml"), StringComparison.Ordinal);
            Assert.NotEqual("", panel.GetProperty("description").GetString());
        }

        Assert.Distinct(ids);
    }

    private static IReadOnlyList<Instrumented> Record()
    {
        using var meter = new MeterRecording();
        return meter.Record();
    }

    private static IEnumerable<string> Recorded() => RecordRule().Matches(Read("prometheus/rules.yml")).Select(match => match.Groups["name"].Value);

    // PromQL in any of the files: in JSON under expr and in the queries of variables, in YAML after expr and in the series of tests.
    private static List<string> Expressions(string file)
    {
        var text = Read(file);
        if (!file.EndsWith(".json", StringComparison.Ordinal))
            return [.. YamlExpression().Matches(text).Select(match => match.Groups["block"].Value + match.Groups["line"].Value)];
        using var dashboard = JsonDocument.Parse(text);
        return [.. Texts(dashboard.RootElement)];
    }

    private static IEnumerable<string> Texts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Texts),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.Name is "expr" or "definition" ? [LabelValues().Replace(property.Value.GetString()!, "${query}")] : Texts(property.Value)),
        _ => [],
    };

    private static IEnumerable<string> MetricsIn(string expression)
        => Name().Matches(Grouping().Replace(Braces().Replace(expression, " "), " ")).Select(match => match.Value);

    private static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, "examples", "Observed", file)).ReplaceLineEndings("\n");

    [GeneratedRegex(@"^ +expr: (?:\|\n(?<block>(?:^ {10,}.*\n)+)|(?<line>.*))|series: '(?<line>[^']*)'", RegexOptions.Multiline)]
    private static partial Regex YamlExpression();

    [GeneratedRegex(@"^ +- record: (?<name>\S+)", RegexOptions.Multiline)]
    private static partial Regex RecordRule();

    [GeneratedRegex(@"^ +- alert: (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"- alertname: (?<name>\w+)\n +eval_time: \w+\n +exp_alerts:\n")]
    private static partial Regex FiringTest();

    [GeneratedRegex(@"^label_values\((?<query>.*), \w+\)$")]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Braces();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(?<metric>[a-z_]+)\{(?<labels>[^}]*)\}")]
    private static partial Regex Selector();

    [GeneratedRegex(@"(?<label>[a-z_]+)\s*(?:=~|!~|!=|=)")]
    private static partial Regex Label();

    [GeneratedRegex(@"\b(?:stickyws[\w:]*|up)\b")]
    private static partial Regex Name();
}
