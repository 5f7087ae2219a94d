using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Hosting;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

/// <summary>What the balancer tells, held to the code that tells it.</summary>
public sealed partial class ObservabilityPageTests
{
    // The level of an event whose caller chooses it.
    private const string Chosen = "of several";

    private static readonly Page Observability = Page.Read("src/StickyWs/Observability/README.md");

    [Fact]
    public void TagsTable_Names_AreEveryTagAndNoOther()
    {
        var sources = Sources("StickyWs").ToList();
        var tags = sources.SelectMany(Tags).Distinct().Except(sources.SelectMany(Instruments));

        Assert.Equal(tags.Order(StringComparer.Ordinal), Observability.Table("Tags").Select(row => Page.Code(row[0])!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TagsTable_FixedValues_AreTheCodes()
    {
        Assert.Equal(Enum.GetNames<BackendState>().Order(), Values("stickyws.state"));
        Assert.Equal(Enum.GetNames<BackendMode>().Order(), Values("stickyws.mode"));
        Assert.Equal(Enum.GetNames<BreakerState>().Order(), Values("stickyws.breaker.state"));
        Assert.Equal([LaneNames.Portable, LaneNames.Raw], Values("stickyws.lane"));
        Assert.Equal(
            new[] { StickyWsMetrics.HandshakeWork, StickyWsMetrics.RequestWork, StickyWsMetrics.UpgradeWork, StickyWsMetrics.ConnectionWork }.Order(),
            Values("stickyws.work"));
        Assert.Equal([Farewell.Backend, Farewell.Both, Farewell.Client, Farewell.None, Farewell.Unknown], Values("stickyws.farewell"));
    }

    [Fact]
    public void EndReasonsTable_Reasons_AreEveryOneThatATunnelEndsWith()
        => Assert.Equal(
            Enum.GetNames<EndReason>().Except([nameof(EndReason.None)]),
            Observability.Table("End reasons").Select(row => Page.Code(row[0])));

    [Fact]
    public void OutcomesTable_Outcomes_AreEveryOne()
        => Assert.Equal(Enum.GetNames<HandshakeOutcome>(), Observability.Table("Handshake outcomes").Select(row => Page.Code(row[0])));

    [Fact]
    public void LinesTable_Fields_AreEveryOneInTheOrderOfTheText()
        => Assert.Equal(AccessLine.Names, Observability.Table("A line per tunnel").Select(row => Page.Code(row[0])));

    [Fact]
    public void SpansTable_Attributes_AreEveryOne()
        => Assert.Equal(
            typeof(SpanTags).GetFields().Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal),
            Observability.Table("Traces").Select(row => Page.Code(row[0])).Where(name => name?.Contains('.', StringComparison.Ordinal) == true)
                .Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("StickyWs", "src/StickyWs/Observability/README.md")]
    [InlineData("StickyWs.Redis", "src/StickyWs.Redis/README.md")]
    [InlineData("StickyWs.Dashboard", "src/StickyWs.Dashboard/README.md")]
    public void EventsTable_Events_AreEveryIdWithItsNameAndLevel(string project, string page)
    {
        var logged = Sources(project).SelectMany(source => LoggedEvent().Matches(source))
            .ToDictionary(match => match.Groups["id"].Value, match => $"{match.Groups["name"].Value} {LevelOf(match.Value)}");
        // Those of the access log are logged with a state of their own.
        foreach (var made in Sources(project).SelectMany(source => MadeEvent().Matches(source)))
            logged.Add(made.Groups["id"].Value, $"{made.Groups["name"].Value} {nameof(LogLevel.Information)}");
        var expected =
            from source in Sources(project)
            where source.Contains("class EventIds", StringComparison.Ordinal)
            from Match id in EventId().Matches(source)
            let name = id.Groups["name"].Value
            select $"{id.Groups["value"].Value} {logged.GetValueOrDefault(name, $"{name}, which is never logged")}";
        var documented =
            from row in Page.Read(page).Table("Log events")
            select $"{row[0]} {Page.Code(row[1])} {(row[2].Contains(" or ", StringComparison.Ordinal) ? Chosen : row[2])}";

        Assert.Equal(expected.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    private static string LevelOf(string attribute) => LevelWord().Match(attribute) is { Success: true } level ? level.Groups["level"].Value : Chosen;

    private static IEnumerable<string> Sources(string project)
        => Repository.SourceFiles().Where(file => Path.GetRelativePath(Repository.Source, file).Split(Path.DirectorySeparatorChar)[0] == project)
            .Select(File.ReadAllText);

    private static IEnumerable<string> Instruments(string source) => CreatedInstrument().Matches(source).Select(match => match.Groups["name"].Value);

    private static IEnumerable<string> Tags(string source) => TagLiteral().Matches(source).Select(match => match.Groups["name"].Value);

    private static IEnumerable<string> Words(string cell) => Quoted().Matches(cell).Select(match => match.Groups["text"].Value);

    private static IEnumerable<string> Values(string tag)
        => Words(Assert.Single(Observability.Table("Tags"), row => Page.Code(row[0]) == tag)[1]).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"(?:Create\w+(?:<\w+>)?|Times|Count)\(\s*""(?<name>stickyws\.[a-z_.]+)""")]
    private static partial Regex CreatedInstrument();

    [GeneratedRegex(@"""(?<name>stickyws\.[a-z_.]+|error\.type|http\.response\.[a-z_.]+|tls\.[a-z_.]+)""")]
    private static partial Regex TagLiteral();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\[LoggerMessage\((?:[^""]*?= )?\s*EventIds\.(?<id>\w+).*?EventName = ""(?<name>\w+)"".*?\)\]\s+private", RegexOptions.Singleline)]
    private static partial Regex LoggedEvent();

    [GeneratedRegex(@"new EventId\(EventIds\.(?<id>\w+), ""(?<name>\w+)""\)")]
    private static partial Regex MadeEvent();

    [GeneratedRegex(@"LogLevel\.(?<level>\w+)")]
    private static partial Regex LevelWord();

    [GeneratedRegex(@"public const int (?<name>\w+) = (?<value>\d+);")]
    private static partial Regex EventId();
}
