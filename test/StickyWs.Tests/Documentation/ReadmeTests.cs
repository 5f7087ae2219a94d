namespace StickyWs.Tests.Documentation;

public sealed class ReadmeTests
{
    private const int MostWords = 900;

    private static readonly Page Readme = Page.Read("README.md");

    [Theory]
    [InlineData("examples/Minimal/Program.cs", "csharp")]
    [InlineData("examples/Minimal/appsettings.json", "json")]
    public void Readme_CodeBlock_IsTheExample(string file, string language)
        => Assert.Contains($"```{language}\n{Page.Read(file).Text.Trim()}\n```", Readme.Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("dotnet test")]
    [InlineData("dotnet run --project examples/Quickstart")]
    public void Readme_Commands_AreThere(string command) => Assert.Contains($"\n{command}\n", Readme.Text, StringComparison.Ordinal);

    [Fact]
    public void Readme_Length_IsAPage() => Assert.InRange(Readme.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, 1, MostWords);

    [Fact]
    public void Readme_Links_LeadToEveryPageBesideTheCode()
    {
        var pages = Page.Paths().Where(path => path.StartsWith("src/", StringComparison.Ordinal));

        Assert.Empty(pages.Except(Readme.Links()));
    }
}
