using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using StickyWs.Configuration;
using StickyWs.Tests.Architecture;
using StickyWs.Tests.Configuration;

namespace StickyWs.Tests.Documentation;

/// <summary>The tables of options: every key, its default, its range.</summary>
public sealed partial class OptionsPageTests
{
    private static readonly Page Package = Page.Read("src/StickyWs/README.md");

    // Rules that have nothing to set have no keys beneath them.
    private static readonly string[] Switches = ["Pools:<pool>:Affinity:Rules:<n>:SignalR", "Pools:<pool>:Affinity:Rules:<n>:SocketIO"];

    private static readonly string[] Probes = ["Http", "Tcp", "Tls", "WebSocket"];

    public static TheoryData<string> OptionNames { get; } =
    [
        .. typeof(StickyWsOptions).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(StickyWsOptions).Namespace && type.IsClass)
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Select(property => property.Name)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string, string, string> Rows { get; } = [.. Documented().Where(row => !Switches.Contains(row.Key))];

    [Theory]
    [MemberData(nameof(OptionNames))]
    public void OptionsTable_Names_AreEveryOption(string name) => Assert.Matches($@"\W{name}\W", Package.Text);

    [Fact]
    public void OptionsTable_Keys_AreEveryKeyAndNoOther()
    {
        var keys = OptionTree.Keys(typeof(StickyWsOptions)).Select(Written).Concat(Switches);

        Assert.Equal(
            keys.Order(StringComparer.Ordinal),
            Documented().Select(row => row.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void OptionsTable_Default_IsTheCodes(string key, string @default, string range)
    {
        _ = range;
        var property = PropertyOf(key, out var owner);
        var value = property.GetValue(owner);

        if (@default == "`[]`") Assert.Empty(Assert.IsAssignableFrom<IEnumerable>(value));
        else if (Page.Code(@default) is { } text) Assert.Equal(TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(text), value);
        else Assert.True(value is null || (value is IEnumerable empty && !empty.Cast<object>().Any()), $"{key} is {value}, not {@default}.");
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void OptionsTable_Range_IsTheCodes(string key, string @default, string range)
    {
        _ = @default;
        var property = PropertyOf(key, out _);
        var written = range.Replace(", `none`", "", StringComparison.Ordinal).Split(" to ");

        if (property.GetCustomAttribute<TimeRangeAttribute>() is { } times)
            Assert.Equal([Time(times.Minimum), Time(times.Maximum)], written.Select(Duration));
        else if (property.GetCustomAttribute<NumberRangeAttribute>() is { } numbers)
            Assert.Equal([numbers.Minimum, numbers.Maximum], written.Select(Number));
        else if (property.PropertyType.IsEnum)
            Assert.Equal(Enum.GetNames(property.PropertyType).Order(), Quoted().Matches(@default + range).Select(match => match.Groups["text"].Value).Order());
        else
            Assert.DoesNotContain(" to ", range, StringComparison.Ordinal);
    }

    [Fact]
    public void RedisTable_Keys_AreEveryOption()
    {
        var source = File.ReadAllText(Path.Combine(Repository.Source, "StickyWs.Redis", "RedisPinOptions.cs"));
        var options = Settable().Matches(source).Select(match => match.Groups["name"].Value);

        Assert.Equal(
            options.Order(StringComparer.Ordinal),
            Page.Read("src/StickyWs.Redis/README.md").Table("Options").Select(row => Page.Code(row[0])!).Order(StringComparer.Ordinal));
    }

    // A heading in code is the section that the keys beneath it are in; that of the probes stands for each.
    private static IEnumerable<(string Key, string Default, string Range)> Documented()
        => from row in Package.Tables()
           let section = Page.Code(row.Heading)
           where section is not null
           let prefix = section == "StickyWs" ? "" : $"{section}:"
           from each in Probes.Select(probe => prefix.Replace("<probe>", probe, StringComparison.Ordinal)).Distinct()
           select (each + Page.Code(row.Cells[0]), row.Cells[1], row.Cells[2]);

    // A key of OptionTree as the page writes it: no pool, backend, rule or entry of a list has a name there.
    private static string Written(string key)
    {
        var names = key.Replace("Pools:chat:", "Pools:<pool>:", StringComparison.Ordinal)
            .Replace("Backends:a:", "Backends:<b>:", StringComparison.Ordinal)
            .Replace("Rules:0:", "Rules:<n>:", StringComparison.Ordinal);
        return Entry().Replace(names, "");
    }

    // Walks the types, since lists and dictionaries are empty.
    private static PropertyInfo PropertyOf(string key, out object owner)
    {
        var type = typeof(StickyWsOptions);
        PropertyInfo? property = null;
        owner = new StickyWsOptions();
        foreach (var part in key.Split(':'))
        {
            if (part.StartsWith('<')) continue;
            if (property is not null) owner = Activator.CreateInstance(type)!;
            property = type.GetProperty(part) ?? throw new ArgumentException($"{type.Name} has no {part}, for {key}.", nameof(key));
            type = property.PropertyType.IsGenericType ? property.PropertyType.GetGenericArguments()[^1] : property.PropertyType;
        }

        return property!;
    }

    private static TimeSpan Time(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private static TimeSpan Duration(string text) => text.Split(' ') switch
    {
        ["0"] => TimeSpan.Zero,
        [var number, "ms"] => TimeSpan.FromMilliseconds(Number(number)),
        [var number, "s"] => TimeSpan.FromSeconds(Number(number)),
        [var number, "min"] => TimeSpan.FromMinutes(Number(number)),
        [var number, "h"] => TimeSpan.FromHours(Number(number)),
        [var number, "day" or "days"] => TimeSpan.FromDays(Number(number)),
        _ => throw new FormatException($"'{text}' is no duration."),
    };

    [GeneratedRegex(":(0|X-Probe|Origin)$")]
    private static partial Regex Entry();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^ +public [\w?]+ (?<name>\w+) \{ get; set; \}", RegexOptions.Multiline)]
    private static partial Regex Settable();
}
