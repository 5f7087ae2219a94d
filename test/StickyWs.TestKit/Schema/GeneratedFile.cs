namespace StickyWs.TestKit.Schema;

/// <summary>A file of the repository that is made from the code, and that a test keeps so.</summary>
public static class GeneratedFile
{
    public static string Root { get; } = FindRoot();

    /// <param name="path">From the root of the repository.</param>
    /// <param name="expected">What it should hold.</param>
    /// <param name="variable">The environment variable that, set to 1, has this write the file.</param>
    /// <param name="source">What it is made from.</param>
    /// <returns>What is wrong with the file, or <see langword="null"/> when it holds the text.</returns>
    public static string? Difference(string path, string expected, string variable, string source)
    {
        var file = Path.Combine(Root, path);
        if (Environment.GetEnvironmentVariable(variable) == "1") File.WriteAllText(file, expected);
        var text = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        if (text == expected) return null;
        var (has, wants) = (text.Split('\n'), expected.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(has.Length, wants.Length)).First(i => has.ElementAtOrDefault(i) != wants.ElementAtOrDefault(i));
        return $"{path} is not what {source} say. Set {variable}=1 and run this test to write it.\n"
            + $"First difference, line {line + 1}:\n  is     {has.ElementAtOrDefault(line)}\n  should {wants.ElementAtOrDefault(line)}\n"
            + $"The whole text:\n{expected}";
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StickyWs.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No StickyWs.sln above {AppContext.BaseDirectory}.");
    }
}
