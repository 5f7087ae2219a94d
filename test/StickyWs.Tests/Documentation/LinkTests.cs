using StickyWs.Tests.Architecture;

namespace StickyWs.Tests.Documentation;

public sealed class LinkTests
{
    public static TheoryData<string> Pages { get; } = [.. Page.Paths().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void RelativeLinks_OfAPage_LeadSomewhere(string path)
    {
        var page = Page.Read(path);

        Assert.DoesNotContain(page.Links(), link => !Uri.TryCreate(link, UriKind.Absolute, out _) && !Leads(page, link));
    }

    [Theory]
    [InlineData("#what-it-does", true)]
    [InlineData("#what-it-never-does", false)]
    [InlineData("src/StickyWs/README.md", true)]
    [InlineData("src/StickyWs", true)]
    [InlineData("src/StickyWs/README.md#options", true)]
    [InlineData("src/StickyWs/README.md#poolspoolbackendsb", true)]
    [InlineData("src/StickyWs/README.md#choices", false)]
    [InlineData("src/StickyWs/readme.txt", false)]
    [InlineData("LICENSE#mit", false)]
    [InlineData("../elsewhere", false)]
    [InlineData("/", false)]
    public void RelativeLinks_OfTheReadme_AreToldApart(string link, bool leads) => Assert.Equal(leads, Leads(Page.Read("README.md"), link));

    private static bool Leads(Page page, string link)
    {
        var (file, anchor) = link.Split('#', 2) is [var before, var after] ? (before, after) : (link, null);
        if (file.StartsWith('/')) return false;
        var target = file.Length == 0 ? page.Path : Path.Combine(Path.GetDirectoryName(page.Path)!, Uri.UnescapeDataString(file));
        var full = Path.GetFullPath(target, Repository.Root);
        if (!full.StartsWith(Repository.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal)) return false;
        if (anchor is null) return Path.Exists(full);
        return full.EndsWith(".md", StringComparison.Ordinal) && File.Exists(full)
            && Page.Read(Path.GetRelativePath(Repository.Root, full)).Anchors().Contains(anchor);
    }
}
