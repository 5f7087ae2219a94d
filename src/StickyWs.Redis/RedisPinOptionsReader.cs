using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StickyWs.Binding;
using StickyWs.Configuration;

namespace StickyWs.Redis;

/// <summary>
/// Reads the options from a configuration section. Like the balancer's own reader, and unlike the framework's binder, it collects values that do not
/// parse and reports unknown keys. No message contains a value that might be a password.
/// </summary>
internal sealed class RedisPinOptionsReader(IConfigurationSection section) : IConfigureOptions<RedisPinOptions>
{
    private static readonly Dictionary<string, Func<RedisPinOptions, string, string?>> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(RedisPinOptions.Configuration)] = (options, text) => Text(options.Configuration = text),
        [nameof(RedisPinOptions.KeyPrefix)] = (options, text) => Text(options.KeyPrefix = text),
        [nameof(RedisPinOptions.User)] = (options, text) => Text(options.User = text),
        [nameof(RedisPinOptions.Password)] = (options, text) => Text(options.Password = text),
        [nameof(RedisPinOptions.Tls)] = (options, text) => Flag(text, flag => options.Tls = flag),
        [nameof(RedisPinOptions.TlsServerName)] = (options, text) => Text(options.TlsServerName = text),
        [nameof(RedisPinOptions.TlsCaCertificateFile)] = (options, text) => Text(options.TlsCaCertificateFile = text),
        [nameof(RedisPinOptions.Database)] = (options, text) => Whole(text, number => options.Database = number),
    };

    public void Configure(RedisPinOptions options)
    {
        if (!string.IsNullOrEmpty(section.Value)) options.ReadErrors.Add($"{section.Path} is a single value: use an object with a Configuration.");
        foreach (var child in section.GetChildren())
        {
            if (Read(options, child) is { } error) options.ReadErrors.Add(error);
        }
    }

    private static string? Read(RedisPinOptions options, IConfigurationSection child)
    {
        if (!Known.TryGetValue(child.Key, out var set))
        {
            return $"{child.Path} is not an option: {Spelling.Remedy(child.Key, Known.Keys)}, or remove it.";
        }

        if (child.GetChildren().Any()) return $"{child.Path} is an object or a list: use a single value.";
        if (string.IsNullOrEmpty(child.Value)) return null;
        return set(options, child.Value) is { } remedy ? OptionsError.Of(child.Path, child.Value, remedy) : null;
    }

    // Each returns the remedy, or null if the value is good; every string is.
    private static string? Text(string _) => null;

    private static string? Flag(string text, Action<bool> set)
    {
        if (!bool.TryParse(text, out var flag)) return "use true or false";
        set(flag);
        return null;
    }

    private static string? Whole(string text, Action<int> set)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return "use a whole number";
        set(number);
        return null;
    }
}
