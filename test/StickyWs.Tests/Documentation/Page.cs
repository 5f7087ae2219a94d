using System.Text;
using System.Text.RegularExpressions;
using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

/// <summary>A page of the documentation: its text, its sections, its tables.</summary>
internal sealed partial class Page
{
    private static readonly string[] NotOurs = ["bin", "obj", ".git", "node_modules"];

    private Page(string path)
    {
        Path = path;
        Text = File.ReadAllText(System.IO.Path.Combine(Repository.Root, path)).ReplaceLineEndings("\n");
    }

    /// <summary>From the root of the repository.</summary>
    public string Path { get; }

    public string Text { get; }

    /// <summary>Every page, from the root of the repository.</summary>
    public static IEnumerable<string> Paths()
        => Directory.EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
            .Select(file => System.IO.Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.Split(System.IO.Path.DirectorySeparatorChar).Any(NotOurs.Contains))
            .Select(file => file.Replace('\\', '/'));

    public static Page Read(string path) => new(path);

    /// <summary>What a browser can be sent to after <c>#</c>, as GitHub makes it from headings.</summary>
    public HashSet<string> Anchors()
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(WithoutCode()))
        {
            var slug = Slug(heading.Groups["text"].Value);
            var anchor = slug;
            for (var next = 1; !anchors.Add(anchor); next++) anchor = $"{slug}-{next}";
        }

        return anchors;
    }

    /// <summary>Where its links and pictures lead.</summary>
    public IEnumerable<string> Links() => Link().Matches(WithoutCode()).Select(match => match.Groups["target"].Value);

    /// <summary>The rows of the table under a heading, as cells.</summary>
    public IReadOnlyList<string[]> Table(string heading) => Tables().Where(row => row.Heading == heading).Select(row => row.Cells).ToList();

    /// <summary>Every row of every table, with the heading that it is under.</summary>
    public IEnumerable<(string Heading, string[] Cells)> Tables()
    {
        var (heading, line) = ("", 0);
        foreach (var text in WithoutCode().Split('\n'))
        {
            line = text.StartsWith('|') ? line + 1 : 0;
            if (Heading().Match(text) is { Success: true } match) heading = match.Groups["text"].Value;
            else if (line > 2) yield return (heading, [.. text.Trim('|').Split('|').Select(cell => cell.Trim())]); // After the titles and the rule.
        }
    }

    /// <summary>What a cell says in code, or <see langword="null"/> when it holds something else, too.</summary>
    public static string? Code(string cell) => AllCode().Match(cell) is { Success: true } match ? match.Groups["code"].Value : null;

    private static string Slug(string heading)
    {
        var slug = new StringBuilder();
        foreach (var character in heading.ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(character) || character is '-' or '_') slug.Append(character);
            else if (character == ' ') slug.Append('-');
        }

        return slug.ToString();
    }

    private string WithoutCode() => Fence().Replace(Text, "");

    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^`(?<code>[^`]+)`$")]
    private static partial Regex AllCode();
}
