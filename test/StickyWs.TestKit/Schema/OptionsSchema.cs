using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StickyWs.Configuration;

namespace StickyWs.TestKit.Schema;

/// <summary>
/// The JSON schema of a class of options, for editors: types, ranges, defaults and the names of enumerations by reflection, descriptions from the doc comments.
/// Nothing is required, because several files may make up one configuration.
/// </summary>
/// <param name="root">The class of options.</param>
/// <param name="rules">What reflection cannot know, by <c>Class.Property</c>.</param>
public sealed class OptionsSchema(Type root, IReadOnlyDictionary<string, Action<JsonObject>> rules)
{
    // The reader takes hh:mm as well; whoever writes 00:05 may mean seconds.
    private const string Time = @"^(\d+\.)?([01]?\d|2[0-3]):[0-5]?\d:[0-5]?\d(\.\d{1,7})?$";

    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly DocComments _docs = new(root.Assembly);

    public JsonObject Root() => Described(OfClass(root), _docs.Summary(root));

    /// <summary>A file's text: the schema under the keys that lead to it.</summary>
    public static string FileText(string path, JsonObject schema)
    {
        foreach (var key in Enumerable.Reverse(path.Split(':')))
            schema = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { [key] = schema } };
        return schema.ToJsonString(Layout) + "\n";
    }

    /// <summary>One of these texts.</summary>
    public static JsonObject Names(params IEnumerable<string> names) => new() { ["enum"] = new JsonArray([.. names.Select(name => (JsonNode)name)]) };

    private static JsonObject Typed(JsonNode type) => new() { ["type"] = type };

    private static JsonObject Typed(string type, string keyword, JsonNode argument) => new() { ["type"] = type, [keyword] = argument };

    private static JsonObject Described(JsonObject schema, string text)
    {
        schema.Insert(1, "description", text);
        return schema;
    }

    private JsonObject OfClass(Type type)
    {
        var defaults = Activator.CreateInstance(type);
        var properties = new JsonObject();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).OrderBy(property => property.Name, StringComparer.Ordinal))
            properties[property.Name] = OfProperty(property, property.GetValue(defaults));
        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
    }

    private JsonObject OfProperty(PropertyInfo property, object? value)
    {
        var isTimeOrNone = property.PropertyType == typeof(TimeSpan?);
        var schema = Described(OfType(property.PropertyType), _docs.Summary(property, isTimeOrNone ? "none" : "null"));
        AddRange(schema, property);
        if (Default(value) is { } text) schema["default"] = text;
        else if (isTimeOrNone) schema["default"] = "none";
        if (rules.TryGetValue($"{property.DeclaringType!.Name}.{property.Name}", out var rule)) rule(schema);
        return schema;
    }

    private JsonObject OfType(Type type)
    {
        if (type == typeof(bool)) return Typed("boolean");
        if (type == typeof(int)) return Typed("integer");
        if (type == typeof(int?)) return Typed(new JsonArray("integer", "null"));
        if (type == typeof(double)) return Typed("number");
        if (type == typeof(double?)) return Typed(new JsonArray("number", "null"));
        if (type == typeof(string)) return Typed("string");
        if (type == typeof(TimeSpan)) return Typed("string", "pattern", Time);
        if (type == typeof(TimeSpan?)) return Typed("string", "anyOf", new JsonArray(Names("none"), new JsonObject { ["pattern"] = Time }));
        if (type.IsEnum) return Typed("string", "enum", Names(Enum.GetNames(type))["enum"]!.DeepClone());
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>)) return Typed("array", "items", OfItem(type.GetGenericArguments()[0]));
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IDictionary<,>))
            return Typed("object", "additionalProperties", OfItem(type.GetGenericArguments()[1]));
        return type.IsClass && type.Assembly == root.Assembly ? OfClass(type) : throw new NotSupportedException($"An option of the type {type}.");
    }

    private JsonObject OfItem(Type type) => type == typeof(string) ? OfType(type) : Described(OfType(type), _docs.Summary(type));

    private static void AddRange(JsonObject schema, PropertyInfo property)
    {
        if (property.GetCustomAttribute<NumberRangeAttribute>() is { } range)
        {
            schema["minimum"] = range.Minimum;
            schema["maximum"] = range.Maximum;
        }

        if (property.GetCustomAttribute<TimeRangeAttribute>() is { } times)
        {
            var none = property.PropertyType == typeof(TimeSpan?) ? ", or none" : "";
            schema["description"] = $"{schema["description"]} Written as hh:mm:ss, from {times.Minimum} to {times.Maximum}{none}.";
        }
    }

    private static JsonNode? Default(object? value) => value switch
    {
        bool flag => flag,
        int number => number,
        double number => number,
        string { Length: > 0 } text => text,
        Enum name => name.ToString(),
        TimeSpan time when time.Ticks % TimeSpan.TicksPerSecond != 0 => time.ToString("c", CultureInfo.InvariantCulture).TrimEnd('0'),
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        _ => null,
    };
}
