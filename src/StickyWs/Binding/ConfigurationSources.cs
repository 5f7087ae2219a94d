using Microsoft.Extensions.Configuration;
using StickyWs.Configuration;

namespace StickyWs.Binding;

/// <summary>
/// The sources of the application's configuration that have a part in the section. A file that is away, empty or broken while the configuration is
/// reloaded gives nothing, and the framework takes that for what was meant, at the latest when another file is saved; here it is told apart.
/// </summary>
internal sealed class ConfigurationSources(IEnumerable<OptionsRoot> roots, IConfiguration? configuration = null) : IDisposable
{
    private readonly OptionsRoot[] _roots = [.. roots];
    private readonly Dictionary<FileConfigurationSource, Action<FileLoadExceptionContext>?> _heard = [];
    private IConfigurationProvider[] _had = [];

    /// <summary>The path of the section, for messages.</summary>
    public string Path => _roots is [.., var last] ? last.Path : StickyWsOptions.SectionName;

    /// <summary>Raised when a file that has a part could not be read, on the thread of whoever reloads.</summary>
    public event Action<LostSource>? Broken;

    /// <summary>What is in force now came from these sources.</summary>
    public void Remember()
    {
        _had = [.. Providers(configuration as IConfigurationRoot).Where(HasPart)];
        foreach (var file in _had.OfType<FileConfigurationProvider>()) Hear(file.Source);
    }

    /// <summary>A source that had a part in what is in force and gives nothing at all now.</summary>
    public LostSource? FindLost() => Array.Find(_had, provider => !provider.GetChildKeys([], null).Any() || IsEmptied(provider)) is { } lost
        ? new LostSource(lost, $"{NameOf(lost)} is away, empty or broken. To remove its settings, leave other content in it, or \"Pools\": {{}} in its section")
        : null;

    /// <summary>Where the section is not there: what may be it.</summary>
    public string? Hint => _roots.Select(root => SectionHint.For(configuration, root.Path)).FirstOrDefault(hint => hint is not null);

    public void Dispose()
    {
        foreach (var (source, before) in _heard) source.OnLoadException = before;
    }

    // Else the framework loses it: it throws the failure into the file's watcher, which has nobody to tell.
    private void Hear(FileConfigurationSource source)
    {
        if (_heard.ContainsKey(source)) return;
        var before = _heard[source] = source.OnLoadException;
        source.OnLoadException = context =>
        {
            before?.Invoke(context);
            Broken?.Invoke(new LostSource(context.Provider, $"{NameOf(context.Provider)} cannot be read: {context.Exception.GetBaseException().Message.ReplaceLineEndings(" ")}"));
        };
    }

    // An empty object in place of the section leaves the section's own key.
    private bool IsEmptied(IConfigurationProvider provider) => !HasPart(provider) && Array.Exists(_roots, root => provider.TryGet(root.Path, out _));

    private bool HasPart(IConfigurationProvider provider) => Array.Exists(_roots, root => provider.GetChildKeys([], root.Path).Any());

    private static string NameOf(IConfigurationProvider provider)
        => provider is FileConfigurationProvider { Source.Path: { } path } ? path : provider.ToString() ?? provider.GetType().Name;

    private static IEnumerable<IConfigurationProvider> Providers(IConfigurationRoot? root) => root is null ? [] : root.Providers.SelectMany(
        provider => provider is ChainedConfigurationProvider { Configuration: IConfigurationRoot chained } ? Providers(chained) : [provider]);
}
