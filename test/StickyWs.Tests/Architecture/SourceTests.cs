using System.Globalization;
using System.Text.RegularExpressions;

namespace StickyWs.Tests.Architecture;

public sealed partial class SourceTests
{
    private const int MostLines = 300;
    private const int MostColumns = 160;
    private const int MostFiles = 25;

    [Fact]
    public void SourceFiles_HaveAtMost300Lines()
    {
        Assert.NotEmpty(Repository.SourceFiles());
        Assert.All(Repository.SourceFiles(), file => Assert.InRange(File.ReadLines(file).Count(), 1, MostLines));
    }

    [Fact]
    public void CodeFiles_HaveLinesOfAtMost160Columns()
    {
        var longer =
            from file in Repository.CodeFiles()
            from line in File.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
            where line.Text.Length > MostColumns
            select $"{file}:{line.Number}";

        Assert.Empty(longer);
    }

    [Fact]
    public void SourceFiles_StandInAFolderOfTheirRoom()
    {
        var misplaced =
            from file in Repository.SourceFiles()
            let room = Room(file)
            let declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))
            where declared != $"namespace {room};"
            where !(room.EndsWith(".Hosting", StringComparison.Ordinal) && declared?.StartsWith("namespace Microsoft.", StringComparison.Ordinal) == true)
            select $"{file}: {declared ?? "no namespace"}";

        Assert.Empty(misplaced);
    }

    [Fact]
    public void Folders_HaveAtMost25Files_OrAsManyAsTheArchitecturePageSays()
    {
        var exceptions = Exceptions();
        var folders = Repository.SourceFiles().CountBy(Folder).ToDictionary();

        Assert.All(folders, folder => Assert.InRange(folder.Value, 1, exceptions.GetValueOrDefault(folder.Key, MostFiles)));
    }

    // One that is not needed any more is a door left open.
    [Fact]
    public void Folders_ThatTheArchitecturePageExcepts_HaveMoreThan25Files()
    {
        var folders = Repository.SourceFiles().CountBy(Folder).ToDictionary();

        Assert.All(Exceptions(), exception => Assert.InRange(folders.GetValueOrDefault(exception.Key), MostFiles + 1, int.MaxValue));
    }

    [Fact]
    public void SourceFiles_AreUnsafeInTheRawLaneAlone()
    {
        var unsafeRooms = Repository.SourceFiles().Where(file => UnsafeWord().IsMatch(File.ReadAllText(file))).Select(Room).Distinct();

        Assert.Equal(["StickyWs.Kernel", "StickyWs.Reactors", "StickyWs.Tls", "StickyWs.Transport"], unsafeRooms.Order());
    }

    // A room's folder may have folders of its own; these are for the reader alone and no namespaces.
    private static string Room(string file) => string.Join('.', Folder(file).Split('/').Take(2));

    private static string Folder(string file)
        => Path.GetRelativePath(Repository.Source, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '/');

    private static Dictionary<string, int> Exceptions()
        => LargeFolder().Matches(File.ReadAllText(Path.Combine(Repository.Root, "ARCHITECTURE.md")))
            .ToDictionary(line => "StickyWs/" + line.Groups["folder"].Value, line => int.Parse(line.Groups["files"].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^- `(?<folder>[\w/]+)` \((?<files>\d+) files\): .+$", RegexOptions.Multiline)]
    private static partial Regex LargeFolder();

    // As a modifier or a statement; the word in a comment, or within another, does not count.
    [GeneratedRegex(@"^(?!\s*//).*(?<![\w.])unsafe(?= (partial|class|struct|static|void|bool|int|RawAddress|Errno)|\s*$)", RegexOptions.Multiline)]
    private static partial Regex UnsafeWord();
}
