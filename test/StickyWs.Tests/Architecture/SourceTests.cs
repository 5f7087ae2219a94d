namespace StickyWs.Tests.Architecture;

public sealed class SourceTests
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
            where declared != $"namespace {room};" && !(room == "StickyWs.Hosting" && declared?.StartsWith("namespace Microsoft.", StringComparison.Ordinal) == true)
            select $"{file}: {declared ?? "no namespace"}";

        Assert.Empty(misplaced);
    }
}
