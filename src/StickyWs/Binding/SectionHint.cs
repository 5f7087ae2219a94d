using Microsoft.Extensions.Configuration;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>If the section is missing from the configuration: what may be meant for it, under another name or at another level.</summary>
internal static class SectionHint
{
    private const string Pools = "Pools";

    /// <returns>A sentence, or <see langword="null"/> if the section exists or nothing resembles it.</returns>
    public static string? For(IConfiguration? configuration, string path)
    {
        if (configuration is null) return null;
        var name = ConfigurationPath.GetSectionKey(path);
        var parent = ConfigurationPath.GetParentPath(path);
        IConfigurationSection[] beside = [.. (parent is null ? configuration : configuration.GetSection(parent)).GetChildren()];
        if (Array.Exists(beside, section => Is(section, name))) return null;
        if (Array.Find(beside, section => Is(section, Pools) && HoldsPools(section)) is { } bare)
        {
            return DidYouMean(bare.Path, ConfigurationPath.Combine(path, Pools));
        }

        if (Array.Find(beside, section => IsInPlaceOf(section, name)) is { } found) return DidYouMean(found.Path, path);
        var deeper = beside.SelectMany(section => section.GetChildren()).FirstOrDefault(section => Is(section, name) && IsObject(section));
        if (deeper is not null) return DidYouMean(deeper.Path, path);

        // An environment variable whose levels are separated by one underscore instead of two.
        var flat = Array.Find(beside, section => section.Key.StartsWith($"{name}_{Pools}_", StringComparison.OrdinalIgnoreCase));
        return flat is null ? null : DidYouMean(flat.Path, $"{name}__{Pools}__<pool>__Backends__<backend>__Address");
    }

    private static string DidYouMean(string found, string wanted) => $"nothing reads {found}: did you mean {wanted}?";

    private static bool IsInPlaceOf(IConfigurationSection section, string name)
        => IsObject(section) && (Spelling.IsNear(section.Key, name) || section.GetChildren().Any(child => Is(child, Pools) && HoldsPools(child)));

    private static bool HoldsPools(IConfigurationSection pools)
        => pools.GetChildren().Any(pool => pool.GetChildren().Any(child => Is(child, nameof(PoolOptions.Backends))));

    private static bool IsObject(IConfigurationSection section) => section.GetChildren().Any();

    private static bool Is(IConfigurationSection section, string name) => section.Key.Equals(name, StringComparison.OrdinalIgnoreCase);
}
