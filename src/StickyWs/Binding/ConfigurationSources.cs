using Microsoft.Extensions.Configuration;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// The sources of the application's configuration that contribute to the section. A file that is missing, empty or broken during a reload provides
/// nothing, and the framework accepts that as intended, at the latest when another file is saved. This class detects it.
/// </summary>
internal sealed class ConfigurationSources(IEnumerable<OptionsRoot> roots, IConfiguration? configuration = null) : IDisposable
{
    private readonly OptionsRoot[] _roots = [.. roots];
    private readonly Dictionary<FileConfigurationSource, Action<FileLoadExceptionContext>?> _heard = [];
    private IConfigurationProvider[] _had = [];

    /// <summary>The path of the section, for messages.</summary>
    public string Path => _roots is [.., var last] ? last.Path : StickyWsOptions.SectionName;

    /// <summary>Raised when a contributing file could not be read, on the thread that reloads.</summary>
    public event Action<LostSource>? Broken;

    /// <summary>Remembers the sources of the options that have just come into force.</summary>
    public void Remember()
    {
        _had = [.. Providers(configuration as IConfigurationRoot).Where(HasPart)];
        foreach (var file in _had.OfType<FileConfigurationProvider>()) Hear(file.Source);
    }

    /// <summary>A source that contributed to the options in force and now provides nothing at all.</summary>
    public LostSource? FindLost()
    {
        if (Array.Find(_had, provider => !provider.GetChildKeys([], null).Any() || IsEmptied(provider)) is not { } lost) return null;
        const string Remedy = "To remove its settings, leave other content in it, or \"Pools\": {} in its section";
        return new LostSource(lost, $"{NameOf(lost)} is missing, empty or broken. {Remedy}");
    }

    /// <summary>If the section is missing: what may be meant for it.</summary>
    public string? Hint => _roots.Select(root => SectionHint.For(configuration, root.Path)).FirstOrDefault(hint => hint is not null);

    public void Dispose()
    {
        foreach (var (source, before) in _heard) source.OnLoadException = before;
    }

    // Otherwise the exception ends up in the framework's file watcher, where nothing reports it.
    private void Hear(FileConfigurationSource source)
    {
        if (_heard.ContainsKey(source)) return;
        var before = _heard[source] = source.OnLoadException;
        source.OnLoadException = context =>
        {
            before?.Invoke(context);
            var cause = context.Exception.GetBaseException().Message.ReplaceLineEndings(" ");
            Broken?.Invoke(new LostSource(context.Provider, $"{NameOf(context.Provider)} cannot be read: {cause}"));
        };
    }

    // An empty object in place of the section leaves only the section's own key.
    private bool IsEmptied(IConfigurationProvider provider) => !HasPart(provider) && Array.Exists(_roots, root => provider.TryGet(root.Path, out _));

    private bool HasPart(IConfigurationProvider provider) => Array.Exists(_roots, root => provider.GetChildKeys([], root.Path).Any());

    private static string NameOf(IConfigurationProvider provider)
        => provider is FileConfigurationProvider { Source.Path: { } path } ? path : provider.ToString() ?? provider.GetType().Name;

    private static IEnumerable<IConfigurationProvider> Providers(IConfigurationRoot? root) => root is null ? [] : root.Providers.SelectMany(
        provider => provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot chained } ? Providers(chained) : [provider]);
}
