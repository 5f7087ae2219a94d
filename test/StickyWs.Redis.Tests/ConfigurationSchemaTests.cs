using System.Text.Json.Nodes;
using StickyWs.TestKit.Schema;

namespace StickyWs.Redis.Tests;

/// <summary>The schema that the package brings to editors, for the section <c>StickyWs:Redis</c>.</summary>
public sealed class ConfigurationSchemaTests
{
    private static readonly JsonObject Schema = SchemaFile.Read("StickyWs.Redis");

    // What the validator asks for beyond the types.
    private static readonly Dictionary<string, Action<JsonObject>> Rules = new()
    {
        ["RedisPinOptions.Database"] = schema => (schema["minimum"], schema["maximum"]) = (0, int.MaxValue),
        ["RedisPinOptions.KeyPrefix"] = schema => schema["pattern"] = "^[!-~]{1,128}$",
    };

    public static TheoryData<string, string> GoodValues => RedisPinOptionsTests.Good;

    public static TheoryData<string, string> BadValues =>
    [
        .. RedisPinOptionsTests.Bad.Select(row => row.Data).Where(row => row.Item1 is "KeyPrefix" or "Tls" or "Database"),
    ];

    [Fact]
    public void Schema_File_SaysWhatTheOptionsSay()
    {
        var text = OptionsSchema.FileText(RedisPinOptions.SectionName, new OptionsSchema(typeof(RedisPinOptions), Rules).Root());

        if (SchemaFile.Difference("StickyWs.Redis", text) is { } difference) Assert.Fail(difference);
    }

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Schema_GoodValue_Conforms(string key, string value) => Assert.Empty(ErrorsOf(key, value));

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Schema_BadValue_IsRefused(string key, string value) => Assert.NotEmpty(ErrorsOf(key, value));

    [Fact]
    public void Schema_KeyThatIsNoOption_IsRefused() => Assert.Equal([":StickyWs:Redis:Pasword is not an option"], ErrorsOf("Pasword", "x"));

    // The rest of the section is the other package's.
    [Fact]
    public void Schema_OtherSections_AreLeftAlone()
        => Assert.Empty(SchemaCheck.Errors(JsonNode.Parse("""{ "Logging": {}, "StickyWs": { "Pools": {} } }"""), Schema));

    private static IReadOnlyList<string> ErrorsOf(string key, string value)
    {
        JsonNode literal = bool.TryParse(value, out var flag) ? flag : double.TryParse(value, out var number) ? number : value;
        return SchemaCheck.Errors(new JsonObject { ["StickyWs"] = new JsonObject { ["Redis"] = new JsonObject { [key] = literal } } }, Schema);
    }
}
