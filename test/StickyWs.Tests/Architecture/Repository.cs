namespace StickyWs.Tests.Architecture;

/// <summary>The files that the assembly under test was made from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string Source => Path.Combine(Root, "src");

    public static IEnumerable<string> SourceFiles() => CodeFilesIn(Source);

    /// <summary>Those of src, test and examples.</summary>
    public static IEnumerable<string> CodeFiles()
        => new[] { "src", "test", "examples" }.SelectMany(folder => CodeFilesIn(Path.Combine(Root, folder)));

    private static IEnumerable<string> CodeFilesIn(string folder)
        => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StickyWs.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No StickyWs.sln above {AppContext.BaseDirectory}.");
    }
}
