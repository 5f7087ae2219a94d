using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StickyWs.TestKit.Schema;

/// <summary>Checks JSON against a schema, by the few keywords that <see cref="OptionsSchema"/> writes; an unknown keyword is an exception.</summary>
public static class SchemaCheck
{
    public static IReadOnlyList<string> Errors(JsonNode? value, JsonObject schema, string path = "")
        => [.. schema.SelectMany(keyword => OfParts(keyword.Key, keyword.Value!, value, schema, path) ?? OfWhole(keyword.Key, keyword.Value!, value, path))];

    private static IEnumerable<string>? OfParts(string keyword, JsonNode argument, JsonNode? value, JsonObject schema, string path) => keyword switch
    {
        "items" => value is JsonArray list ? list.SelectMany((item, i) => Errors(item, argument.AsObject(), $"{path}:{i}")) : [],
        "properties" => Items(value)
            .Where(item => argument[item.Key] is not null)
            .SelectMany(item => Errors(item.Value, argument[item.Key]!.AsObject(), $"{path}:{item.Key}")),
        "additionalProperties" => Items(value)
            .Where(item => schema["properties"]?[item.Key] is null)
            .SelectMany(item => argument is JsonObject rest ? Errors(item.Value, rest, $"{path}:{item.Key}") : [$"{path}:{item.Key} is not an option"]),
        "description" or "default" or "format" => [],
        _ => null,
    };

    private static string[] OfWhole(string keyword, JsonNode argument, JsonNode? value, string path)
    {
        var isGood = keyword switch
        {
            "type" => Types(argument).Any(type => IsOf(value, type)),
            "enum" => argument.AsArray().Any(item => JsonNode.DeepEquals(item, value)),
            "pattern" => !IsOf(value, "string") || Regex.IsMatch((string)value!, (string)argument!),
            "minimum" => !IsOf(value, "number") || (double)value! >= (double)argument,
            "maximum" => !IsOf(value, "number") || (double)value! <= (double)argument,
            "anyOf" => argument.AsArray().Any(option => Errors(value, option!.AsObject(), path).Count == 0),
            _ => throw new NotSupportedException($"The keyword {keyword}."),
        };
        return isGood ? [] : [$"{path}: {value?.ToJsonString() ?? "null"} breaks {keyword} {argument.ToJsonString()}"];
    }

    private static JsonObject Items(JsonNode? value) => value as JsonObject ?? [];

    private static IEnumerable<string> Types(JsonNode argument) => argument is JsonArray list ? list.Select(item => (string)item!) : [(string)argument!];

    private static bool IsOf(JsonNode? value, string type) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == JsonValueKind.String,
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "number" => value?.GetValueKind() == JsonValueKind.Number,
        "integer" => value?.GetValueKind() == JsonValueKind.Number && double.IsInteger((double)value),
        _ => throw new NotSupportedException($"The type {type}."),
    };
}
