using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;

namespace StickyWs.Examples.SharedState;

/// <summary>The clients that one backend knows. Stickiness is what keeps a client's notebook in one of these at a time.</summary>
internal sealed class Notebooks(IDistributedCache cache)
{
    private readonly ConcurrentDictionary<string, Notebook> _byPin = new();

    public int Count => _byPin.Count;

    public Notebook Of(string pin) => _byPin.GetOrAdd(pin, key => new Notebook(key, cache));
}
