using System.Text.RegularExpressions;

namespace StickyWs.Tests.Architecture;

public sealed partial class SourceTests
{
    private const int MostLines = 300;

    [Fact]
    public void SourceFiles_HaveAtMost300Lines()
    {
        Assert.NotEmpty(Repository.SourceFiles());
        Assert.All(Repository.SourceFiles(), file => Assert.InRange(File.ReadLines(file).Count(), 1, MostLines));
    }

    [Fact]
    public void SourceFiles_StandInTheFolderOfTheirRoom()
    {
        var misplaced =
            from file in Repository.SourceFiles()
            let parts = Path.GetRelativePath(Repository.Source, file).Split(Path.DirectorySeparatorChar)
            let room = string.Join('.', parts[..^1])
            let declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))
            where declared != $"namespace {room};" && !(parts[^2] == "Hosting" && declared?.StartsWith("namespace Microsoft.", StringComparison.Ordinal) == true)
            select $"{file}: {declared ?? "no namespace"}";

        Assert.Empty(misplaced);
    }

    [Fact]
    public void SourceFiles_AreUnsafeInTheRawLaneAlone()
    {
        var unsafeFiles = Repository.SourceFiles().Where(file => UnsafeWord().IsMatch(File.ReadAllText(file))).Select(file => Path.GetFileName(Path.GetDirectoryName(file))).Distinct();

        Assert.Equal(["Kernel", "Reactors", "Transport"], unsafeFiles.Order());
    }

    // As a modifier or a statement; the word in a comment, or within another, does not count.
    [GeneratedRegex(@"^(?!\s*//).*(?<![\w.])unsafe(?= (partial|class|struct|static|void|bool|int|RawAddress|Errno)|\s*$)", RegexOptions.Multiline)]
    private static partial Regex UnsafeWord();
}
