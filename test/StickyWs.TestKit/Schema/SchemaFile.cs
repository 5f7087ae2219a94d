using System.Text.Json.Nodes;

namespace StickyWs.TestKit.Schema;

/// <summary>The <c>ConfigurationSchema.json</c> of a project, which its package brings to editors.</summary>
public static class SchemaFile
{
    /// <summary>Set to 1, the variable has <see cref="Difference"/> write the file.</summary>
    public const string WriteVariable = "STICKYWS_WRITE_SCHEMA";

    public static string Root { get; } = FindRoot();

    public static JsonObject Read(string project) => JsonNode.Parse(File.ReadAllText(PathOf(project)))!.AsObject();

    /// <returns>What is wrong with the file, or <see langword="null"/> when it holds the text.</returns>
    public static string? Difference(string project, string expected)
    {
        var path = PathOf(project);
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1") File.WriteAllText(path, expected);
        var text = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (text == expected) return null;
        var (has, wants) = (text.Split('\n'), expected.Split('\n'));
        var line = Enumerable.Range(0, wants.Length).First(i => i >= has.Length || has[i] != wants[i]);
        return $"src/{project}/ConfigurationSchema.json is not what the options say. Set {WriteVariable}=1 and run this test to write it.\n"
            + $"First difference, line {line + 1}:\n  is     {has.ElementAtOrDefault(line)}\n  should {wants[line]}\nThe whole text:\n{expected}";
    }

    private static string PathOf(string project) => Path.Combine(Root, "src", project, "ConfigurationSchema.json");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "StickyWs.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No StickyWs.sln above {AppContext.BaseDirectory}.");
    }
}
