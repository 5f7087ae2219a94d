using System.Text.Json.Nodes;

namespace StickyWs.TestKit.Schema;

/// <summary>The <c>ConfigurationSchema.json</c> of a project, which its package brings to editors.</summary>
public static class SchemaFile
{
    /// <summary>Set to 1, the variable has <see cref="Difference"/> write the file.</summary>
    public const string WriteVariable = "STICKYWS_WRITE_SCHEMA";

    public static string Root => GeneratedFile.Root;

    public static JsonObject Read(string project) => JsonNode.Parse(File.ReadAllText(Path.Combine(Root, PathOf(project))))!.AsObject();

    /// <returns>What is wrong with the file, or <see langword="null"/> when it holds the text.</returns>
    public static string? Difference(string project, string expected) => GeneratedFile.Difference(PathOf(project), expected, WriteVariable, "the options");

    private static string PathOf(string project) => Path.Combine("src", project, "ConfigurationSchema.json");
}
