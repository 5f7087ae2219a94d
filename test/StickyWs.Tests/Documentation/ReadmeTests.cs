using System.Reflection;
using System.Text.RegularExpressions;
using StickyWs.Configuration;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

public sealed partial class ReadmeTests
{
    private static readonly string Readme = Read("README.md");

    public static TheoryData<string> OptionNames { get; } =
    [
        .. typeof(StickyWsOptions).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(StickyWsOptions).Namespace && type.IsClass)
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Select(property => property.Name)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [InlineData("examples/Minimal/Program.cs", "csharp")]
    [InlineData("examples/Minimal/appsettings.json", "json")]
    public void Readme_CodeBlock_IsTheExample(string file, string language)
        => Assert.Contains($"```{language}\n{Read(file).Trim()}\n```", Readme, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(OptionNames))]
    public void Readme_OptionsTable_NamesEveryOption(string name) => Assert.Matches($@"\W{name}\W", Readme);

    [Fact]
    public void Readme_MetricsTable_NamesEveryInstrumentAndNoOther()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "StickyWs"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        var created = sources.SelectMany(file => CreatedInstrument().Matches(File.ReadAllText(file))).Select(match => match.Groups["name"].Value);

        Assert.Equal(created.Order(StringComparer.Ordinal), MetricRow().Matches(Readme).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("dotnet test")]
    [InlineData("dotnet run --project examples/Quickstart")]
    public void Readme_Commands_AreThere(string command) => Assert.Contains($"\n{command}\n", Readme, StringComparison.Ordinal);

    [GeneratedRegex(@"(?:Create\w+(?:<\w+>)?|Times)\(""(?<name>stickyws\.[a-z_.]+)""")]
    private static partial Regex CreatedInstrument();

    [GeneratedRegex(@"^\| `(?<name>stickyws\.[a-z_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path)).ReplaceLineEndings("\n");
}
