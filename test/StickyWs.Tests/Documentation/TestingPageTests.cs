using System.Text.RegularExpressions;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

/// <summary>The page on testing shows code of the example that it describes.</summary>
public sealed partial class TestingPageTests
{
    private static readonly string Code = Unindented(Read("BalancerTests.cs"));

    public static TheoryData<string> Blocks => [.. Block().Matches(Read("README.md")).Select(block => block.Groups["code"].Value)];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Page_CodeBlock_IsOfTheExample(string block) => Assert.Contains(Unindented(block), Code, StringComparison.Ordinal);

    private static string Unindented(string code) => Indent().Replace(code, "");

    private static string Read(string name) => File.ReadAllText(Path.Combine(Repository.Root, "examples", "Testing", name)).ReplaceLineEndings("\n");

    [GeneratedRegex("^ +", RegexOptions.Multiline)]
    private static partial Regex Indent();

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
