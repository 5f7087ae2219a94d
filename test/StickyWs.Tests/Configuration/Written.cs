using System.Text;
using Microsoft.Extensions.Configuration;
using StickyWs.Binding;
using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

/// <summary>What a user wrote, read and judged. Keys are relative to <c>StickyWs</c>; one valid pool is always there.</summary>
internal static class Written
{
    public const string Backend = "http://127.0.0.1:5000";

    private static readonly KnownPolicies Policies = new(["RoundRobin", "LeastConnections", "PowerOfTwoChoices"]);

    public static StickyWsOptions Keys(params IEnumerable<(string Key, string? Value)> keys) => Onto(new StickyWsOptions(), keys);

    public static StickyWsOptions Onto(StickyWsOptions options, params IEnumerable<(string Key, string? Value)> keys)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase) { ["StickyWs:Pools:chat:Backends:a:Address"] = Backend };
        foreach (var (key, value) in keys) values[$"StickyWs:{key}"] = value;
        return Read(new ConfigurationBuilder().AddInMemoryCollection(values), options);
    }

    public static StickyWsOptions Json(string json)
        => Read(new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))), new StickyWsOptions());

    public static string[] Errors(StickyWsOptions options, string root = StickyWsOptions.SectionName, bool hasPinStore = false)
        => [.. new StickyWsOptionsValidator(root, Policies, hasPinStore).Validate(null, options).Failures ?? []];

    public static string[] ErrorsOf(params IEnumerable<(string Key, string? Value)> keys) => Errors(Keys(keys));

    private static StickyWsOptions Read(IConfigurationBuilder builder, StickyWsOptions options)
    {
        new StickyWsOptionsReader(builder.Build().GetSection(StickyWsOptions.SectionName)).Configure(options);
        return options;
    }
}
