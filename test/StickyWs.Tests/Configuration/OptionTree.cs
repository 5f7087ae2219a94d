using System.Collections;
using System.Globalization;
using System.Reflection;

namespace StickyWs.Tests.Configuration;

/// <summary>The options as configuration keys, found by reflection, so that an option that is added cannot be forgotten in a table.</summary>
internal static class OptionTree
{
    public static IEnumerable<string> Keys(Type type, string prefix = "")
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var key = prefix + property.Name;
            var held = property.PropertyType;
            if (held == typeof(IList<string>)) yield return $"{key}:0";
            else if (Is(held, typeof(IList<>))) foreach (var inner in Keys(held.GetGenericArguments()[0], $"{key}:0:")) yield return inner;
            else if (held == typeof(IDictionary<string, string>)) yield return key + HeaderIn(prefix);
            else if (Is(held, typeof(IDictionary<,>))) foreach (var inner in Keys(held.GetGenericArguments()[1], key + In(property.Name))) yield return inner;
            else if (held.Namespace == "StickyWs.Configuration" && held.IsClass) foreach (var inner in Keys(held, $"{key}:")) yield return inner;
            else yield return key;
        }
    }

    private static bool Is(Type type, Type definition) => type.IsGenericType && type.GetGenericTypeDefinition() == definition;

    private static string HeaderIn(string prefix) => prefix.Contains("WebSocket", StringComparison.Ordinal) ? ":Origin" : ":X-Probe";

    private static string In(string dictionary) => dictionary == "Pools" ? ":chat:" : ":a:";

    /// <summary>The value under a key as text, or <see langword="null"/> when there is none.</summary>
    public static string? Text(object? options, string key)
    {
        foreach (var part in key.Split(':'))
        {
            options = options switch
            {
                null => null,
                IList list => list.Count > int.Parse(part, CultureInfo.InvariantCulture) ? list[int.Parse(part, CultureInfo.InvariantCulture)] : null,
                IDictionary map => map[part],
                _ => options.GetType().GetProperty(part)!.GetValue(options),
            };
        }

        return Convert.ToString(options, CultureInfo.InvariantCulture);
    }
}
