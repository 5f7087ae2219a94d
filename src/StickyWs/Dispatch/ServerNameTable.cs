using System.Collections.Frozen;
using System.Collections.Immutable;
using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>
/// Which pool has a server name: an exact one, then a wildcard for its first label, as certificates match (RFC 9525 section 6.3). The validator has seen
/// to it that no two pools have the same.
/// </summary>
internal sealed class ServerNameTable
{
    private readonly FrozenDictionary<string, int> _exact;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _parents;

    public ServerNameTable(ImmutableArray<PoolSnapshot> pools)
    {
        (string Name, int Pool)[] names =
        [
            .. pools.SelectMany((pool, index) => pool.Options.IsPassthrough ? pool.Options.Match.ServerNames.Select(name => (name, index)) : []),
        ];
        _exact = names.Where(entry => !entry.Name.StartsWith('*'))
            .ToFrozenDictionary(entry => entry.Name, entry => entry.Pool, StringComparer.OrdinalIgnoreCase);
        _parents = names.Where(entry => entry.Name.StartsWith('*'))
            .ToFrozenDictionary(entry => entry.Name[2..], entry => entry.Pool, StringComparer.OrdinalIgnoreCase)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        IsEmpty = names.Length == 0;
    }

    public bool IsEmpty { get; }

    /// <returns>The index of the pool.</returns>
    public int? Find(string name)
    {
        if (_exact.TryGetValue(name, out var pool)) return pool;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _parents.TryGetValue(name.AsSpan(dot + 1), out pool) ? pool : null;
    }
}
