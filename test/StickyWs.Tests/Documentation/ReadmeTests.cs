using System.Reflection;
using StickyWs.Configuration;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

public sealed class ReadmeTests
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

    [Theory]
    [InlineData("dotnet test")]
    [InlineData("dotnet run --project examples/Quickstart")]
    public void Readme_Commands_AreThere(string command) => Assert.Contains($"\n{command}\n", Readme, StringComparison.Ordinal);

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path)).ReplaceLineEndings("\n");
}
