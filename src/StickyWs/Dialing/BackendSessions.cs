using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using StickyWs.Configuration;

namespace StickyWs.Dialing;

/// <summary>
/// TLS sessions to backends, for later connections to resume. Those of one backend are for the same options only, so they go with the configuration: a
/// session of a backend that was trusted under other rules is never offered.
/// </summary>
internal sealed class BackendSessions(TimeProvider time)
{
    private const int MostBackends = 256;

    // Options are immutable once in effect.
    private readonly ConditionalWeakTable<TlsOptions, ConcurrentDictionary<string, SessionShelf>> _shelves = [];

    /// <summary>Where the sessions of this backend are.</summary>
    public SessionShelf Of(TlsOptions tls, Uri address)
    {
        var shelves = _shelves.GetValue(tls, static _ => new());
        if (shelves.Count >= MostBackends && !shelves.ContainsKey(address.Authority)) Clear(shelves);
        return shelves.GetOrAdd(address.Authority, static (_, time) => new SessionShelf(time), time);
    }

    private static void Clear(ConcurrentDictionary<string, SessionShelf> shelves)
    {
        foreach (var (name, shelf) in shelves)
        {
            shelves.TryRemove(name, out _);
            shelf.Clear();
        }
    }
}
