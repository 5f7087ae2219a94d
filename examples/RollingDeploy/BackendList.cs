namespace StickyWs.Examples.RollingDeploy;

/// <summary>
/// The backends, as a source of configuration that changes while the process runs. It begins with those of the section "Backends" (pool, name, address),
/// and is not kept: where the balancer's configuration is a file or a ConfigMap, write that instead.
/// </summary>
internal sealed class BackendList : ConfigurationProvider, IConfigurationSource
{
    private readonly Lock _lock = new();

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Add(string pool, string name, string address) => Change(data => data[KeyOf(pool, name)] = address);

    public void Remove(string pool, string name) => Change(data => data.Remove(KeyOf(pool, name)));

    private static string KeyOf(string pool, string name) => $"StickyWs:Pools:{pool}:Backends:{name}:Address";

    // Readers do not lock, so they get a new dictionary.
    private void Change(Action<Dictionary<string, string?>> change)
    {
        lock (_lock)
        {
            var data = new Dictionary<string, string?>(Data, StringComparer.OrdinalIgnoreCase);
            change(data);
            Data = data;
            OnReload();
        }
    }
}
