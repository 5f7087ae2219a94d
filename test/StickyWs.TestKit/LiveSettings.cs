using Microsoft.Extensions.Configuration;

namespace StickyWs.TestKit;

/// <summary>A configuration source that a test can edit while the balancer runs.</summary>
public sealed class LiveSettings : ConfigurationProvider, IConfigurationSource
{
    /// <summary>Edits and reloads, as saving a file does.</summary>
    public void Change(Action<IDictionary<string, string?>> edit)
    {
        var changed = new Dictionary<string, string?>(Data, StringComparer.OrdinalIgnoreCase);
        edit(changed);
        Data = changed;
        OnReload();
    }

    /// <summary>Writes a pool whose backends are named a, b, c and so on.</summary>
    public LiveSettings WithPool(string pool, params string[] addresses)
    {
        for (var i = 0; i < addresses.Length; i++) Data[$"StickyWs:Pools:{pool}:Backends:{(char)('a' + i)}:Address"] = addresses[i];
        return this;
    }

    public LiveSettings With(string key, string? value)
    {
        Data["StickyWs:" + key] = value;
        return this;
    }

    IConfigurationProvider IConfigurationSource.Build(IConfigurationBuilder builder) => this;
}
