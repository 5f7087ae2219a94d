using StickyWs.Backends;

namespace StickyWs.Proxying;

/// <summary>The one connection to a backend that belongs to one connection of a client, since it was authenticated for whoever is there.</summary>
internal sealed class BoundClient(BackendClient client)
{
    public BackendClient Client => client;

    /// <summary>The backend that it leads to.</summary>
    public Backend? Backend { get; set; }
}
