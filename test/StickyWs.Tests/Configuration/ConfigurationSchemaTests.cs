using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.TestKit.Schema;

namespace StickyWs.Tests.Configuration;

/// <summary>The schema that the package brings to editors: it says what the options say, and it agrees with what reads and judges them.</summary>
public sealed class ConfigurationSchemaTests
{
    private static readonly JsonObject Schema = SchemaFile.Read("StickyWs");

    private static readonly Dictionary<string, Action<JsonObject>> Rules = new()
    {
        ["BackendOptions.Address"] = schema => schema["format"] = "uri",
        ["PoolOptions.Tls"] = schema =>
        {
            schema["type"] = new JsonArray("object", "string");
            schema["anyOf"] = new JsonArray(new JsonObject { ["type"] = "object" }, OptionsSchema.Names(Enum.GetNames<PoolTlsMode>()));
        },
        // A policy of the application's own has any name.
        ["PoolOptions.Policy"] = schema => schema["anyOf"] = new JsonArray(OptionsSchema.Names(Policies()), new JsonObject()),
    };

    public static TheoryData<string, string> GoodValues => [.. OptionTable.Rows.Select(row => (row.Key, row.Good))];

    public static TheoryData<string, string> BadValues =>
    [
        .. OptionTable.Rows.SelectMany(row => row.Bad, (row, value) => (row.Key, Value: value)).Where(row => IsDecidable(row.Key, row.Value)),
    ];

    public static TheoryData<string> Defaults => [.. OptionTable.Rows.Select(row => row.Key).Where(key => Find(key)?["default"] is not null)];

    public static TheoryData<string> Examples =>
    [
        .. Directory.EnumerateFiles(Path.Combine(SchemaFile.Root, "examples"), "appsettings*.json", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(SchemaFile.Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj")),
    ];

    [Fact]
    public void Schema_File_SaysWhatTheOptionsSay()
    {
        var schema = new OptionsSchema(typeof(StickyWsOptions), Rules).Root();
        // The section is closed to keys that are no options, and the other package reads this one.
        const string redis = "Shares the pins through Redis: read by the package StickyWs.Redis.";
        schema["properties"]!["Redis"] = new JsonObject { ["type"] = "object", ["description"] = redis };

        if (SchemaFile.Difference("StickyWs", OptionsSchema.FileText(StickyWsOptions.SectionName, schema)) is { } difference) Assert.Fail(difference);
    }

    [Fact]
    public void Schema_Keys_AreTheOptions()
        => Assert.Equal(
            OptionTree.Keys(typeof(StickyWsOptions)).Append("Redis").Order(StringComparer.Ordinal),
            Leaves(Section(), "").Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Schema_GoodValue_Conforms(string key, string value) => Assert.Empty(ErrorsOf(key, value));

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Schema_BadValue_IsRefused(string key, string value) => Assert.NotEmpty(ErrorsOf(key, value));

    [Theory]
    [MemberData(nameof(Defaults))]
    public void Schema_Default_IsReadAsTheOptionsOwn(string key)
    {
        var text = Find(key)!["default"]!.ToString();
        var parent = key[..(key.LastIndexOf(':') + 1)];

        var written = Written.Keys((key, text));
        var untouched = Written.Keys((parent + "Untouched", "x")); // Only so that the parent is there.

        Assert.Empty(written.ReadErrors);
        Assert.Equal(OptionTree.Text(untouched, key), OptionTree.Text(written, key));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Schema_Example_Conforms(string file)
    {
        var settings = JsonNode.Parse(File.ReadAllText(Path.Combine(SchemaFile.Root, file)));

        Assert.NotNull(settings!["StickyWs"]);
        Assert.Empty(SchemaCheck.Errors(settings, Schema));
        Assert.Empty(SchemaCheck.Errors(settings, SchemaFile.Read("StickyWs.Redis")));
    }

    [Theory]
    [InlineData("HeadDeadlines")]
    [InlineData("Pools:chat:Backend")]
    [InlineData("Pools:chat:Backends:a:Adress")]
    [InlineData("Pools:chat:Affinity:Rules:0:Cookies")]
    [InlineData("Pools:chat:Affinity:Rules:0:SignalR:Name")]
    public void Schema_MisspeltKey_IsRefused(string key)
        => Assert.Equal($":StickyWs:{key} is not an option", Assert.Single(SchemaCheck.Errors(Json(key.Split(':'), "x"), Schema)));

    [Theory]
    [InlineData("Passthrough", true)]
    [InlineData("Split", false)]
    public void Schema_ModeInPlaceOfTls_IsTakenByItsName(string mode, bool isGood)
        => Assert.Equal(isGood, SchemaCheck.Errors(Json(["Pools", "chat", "Tls"], mode), Schema).Count == 0);

    private static IEnumerable<string> Policies()
        => typeof(ILoadBalancingPolicy).Assembly.GetTypes()
            .Where(type => type.IsClass && type.IsAssignableTo(typeof(ILoadBalancingPolicy)))
            .Select(type => ((ILoadBalancingPolicy)Activator.CreateInstance(type)!).Name)
            .Order(StringComparer.Ordinal);

    private static JsonObject Section() => Schema["properties"]!["StickyWs"]!.AsObject();

    // Of a text without a pattern, of how far a time may go, and of two options together, the schema knows nothing.
    private static bool IsDecidable(string key, string value)
    {
        if ((key, value) == ("Pools:chat:Affinity:Rules:0:Cookie:SameSite", "None")) return false;
        if (Find(key) is not { } schema) return false;
        if (schema["pattern"] is null && schema["anyOf"] is null && schema["enum"] is null) return schema["type"]!.ToString() != "string";
        return !key.EndsWith(":Policy", StringComparison.Ordinal) && !TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out _);
    }

    private static IReadOnlyList<string> ErrorsOf(string key, string value)
        => SchemaCheck.Errors(Json(key.Split(':'), Find(key)!["type"]!.ToString() == "string" ? value : Literal(value)), Schema);

    // As it is written in JSON; what is no literal there stays a text.
    private static JsonNode Literal(string value)
    {
        if (bool.TryParse(value, out var flag)) return flag;
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : value;
    }

    private static JsonObject Json(string[] key, JsonNode value)
    {
        foreach (var part in key.Reverse()) value = part == "0" ? new JsonArray(value) : new JsonObject { [part] = value };
        return new JsonObject { ["StickyWs"] = value };
    }

    private static JsonObject? Find(string key)
    {
        JsonNode? schema = Section();
        foreach (var part in key.Split(':')) schema = schema?["properties"]?[part] ?? schema?["additionalProperties"] ?? schema?["items"];
        return schema as JsonObject;
    }

    private static IEnumerable<string> Leaves(JsonObject schema, string key)
    {
        if (schema["items"] is JsonObject item) return Leaves(item, $"{key}:0");
        if (schema["additionalProperties"] is JsonObject value) return Leaves(value, $"{key}:{NameUnder(key)}");
        if (schema["properties"] is not JsonObject properties) return [key];
        return properties.SelectMany(property => Leaves(property.Value!.AsObject(), key.Length == 0 ? property.Key : $"{key}:{property.Key}"));
    }

    // The names that OptionTree gives.
    private static string NameUnder(string key) => key switch
    {
        "Pools" => "chat",
        _ when key.EndsWith("Backends", StringComparison.Ordinal) => "a",
        _ when key.Contains("WebSocket", StringComparison.Ordinal) => "Origin",
        _ => "X-Probe",
    };
}
