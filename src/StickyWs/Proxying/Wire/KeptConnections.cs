using System.Collections.Concurrent;
using System.Net.Sockets;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>The HTTP clients' connections to backends. While new clients wait for descriptors, idle ones are closed.</summary>
internal sealed class KeptConnections : IDisposable
{
    private readonly ConcurrentDictionary<BackendWire, bool> _all = new();
    private readonly DescriptorBudget _budget;

    public KeptConnections(DescriptorBudget budget)
    {
        _budget = budget;
        budget.Short += CloseIdle;
    }

    public void Add(BackendWire connection) => _all[connection] = true;

    public void Remove(BackendWire connection) => _all.TryRemove(connection, out _);

    public void Dispose() => _budget.Short -= CloseIdle;

    private void CloseIdle()
    {
        var surplus = _budget.Surplus;
        foreach (var (connection, _) in _all)
        {
            if (surplus == 0) return;
            if (TryClose(connection)) surplus--;
        }
    }

    private static bool TryClose(BackendWire connection)
    {
        try
        {
            return connection.TryCloseIdle();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or AggregateException)
        {
            return true; // It was broken, and is closed now.
        }
    }
}
