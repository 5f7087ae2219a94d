using System.Collections.Immutable;
using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>
/// Finds the pool that matches a request best: an exact host, then the longest wildcard, then pools for any host; within these the longest path
/// prefix. The rules are sorted once per change of configuration, so the first match is the best one.
/// </summary>
internal sealed class PoolMatcher
{
    private readonly RegistrySnapshot _snapshot;
    private readonly PoolMatcher? _before;
    private readonly ImmutableArray<Rule> _rules;
    private readonly ServerNameTable _names;

    public PoolMatcher(RegistrySnapshot snapshot)
        : this(snapshot, Sorted(snapshot), new ServerNameTable(snapshot.Pools))
    {
    }

    private PoolMatcher(RegistrySnapshot snapshot, ImmutableArray<Rule> rules, ServerNameTable names)
    {
        _snapshot = snapshot;
        _before = snapshot.Before is { } before ? new PoolMatcher(before) : null;
        _rules = rules;
        _names = names;
    }

    /// <summary>Whether there is a pool whose TLS is passed through.</summary>
    public bool HasServerNames => !_names.IsEmpty;

    public bool IsFor(RegistrySnapshot snapshot) => ReferenceEquals(_snapshot, snapshot);

    /// <summary>The matcher for a newer snapshot. If only health has changed, it keeps the sorted rules.</summary>
    public PoolMatcher Follow(RegistrySnapshot snapshot)
        => snapshot.Revision == _snapshot.Revision ? new PoolMatcher(snapshot, _rules, _names) : new PoolMatcher(snapshot);

    /// <summary>The pool of a request. While the health of a pool's new backends is unknown, the previous configuration decides.</summary>
    public PoolSnapshot? Match(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
    {
        if (Find(NameOf(host), path) is not { } pool) return null;
        return IsSettled(pool) ? pool : Choose(pool, _before!.Match(host, path));
    }

    /// <summary>The pool to whose backends a connection's TLS is passed through, by the server name in lower case. The same holds.</summary>
    public PoolSnapshot? MatchServerName(string name)
    {
        if (_names.Find(name) is not { } index) return null;
        var pool = _snapshot.Pools[index];
        return IsSettled(pool) ? pool : Choose(pool, _before!.MatchServerName(name));
    }

    private bool IsSettled(PoolSnapshot pool) => _before is null || !pool.IsUnknown;

    private static PoolSnapshot? Choose(PoolSnapshot pool, PoolSnapshot? earlier)
        => earlier is { Eligible.Count: > 0 } || (earlier is null && pool.AwaitsFirstProbes) ? earlier : pool;

    private PoolSnapshot? Find(ReadOnlySpan<char> name, ReadOnlySpan<char> path)
    {
        foreach (var rule in _rules)
        {
            if (rule.Fits(name, path)) return _snapshot.Pools[rule.Pool];
        }

        return null;
    }

    // A trailing dot makes the same name fully qualified (RFC 3986 section 3.2.2).
    private static ReadOnlySpan<char> NameOf(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        if (colon > host.LastIndexOf(']')) host = host[..colon];
        return host is [.. var name, '.'] ? name : host;
    }

    private static ImmutableArray<Rule> Sorted(RegistrySnapshot snapshot) =>
    [
        .. snapshot.Pools
            .SelectMany(Rules)
            .OrderBy(rule => rule.HostRank)
            .ThenByDescending(rule => rule.Suffix.Length)
            .ThenByDescending(rule => rule.Prefix.Length),
    ];

    private static IEnumerable<Rule> Rules(PoolSnapshot pool, int index)
        => from host in pool.Options.Match.Hosts.DefaultIfEmpty("")
           where !pool.Options.IsPassthrough
           from prefix in pool.Options.Match.PathPrefixes.DefaultIfEmpty("")
           let suffix = (host.StartsWith('*') ? host[1..] : host).TrimEnd('.')
           let rank = host.Length == 0 ? 2 : host.StartsWith('*') ? 1 : 0
           select new Rule(suffix, rank, prefix.TrimEnd('/'), index);

    private readonly record struct Rule(string Suffix, int HostRank, string Prefix, int Pool)
    {
        public bool Fits(ReadOnlySpan<char> host, ReadOnlySpan<char> path) => FitsHost(host) && FitsPath(path);

        private bool FitsHost(ReadOnlySpan<char> host) => HostRank switch
        {
            0 => host.Equals(Suffix, StringComparison.OrdinalIgnoreCase),
            1 => host.Length > Suffix.Length && host.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase),
            _ => true,
        };

        private bool FitsPath(ReadOnlySpan<char> path)
            => path.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
                && (path.Length == Prefix.Length || path[Prefix.Length] == '/' || Prefix.Length == 0);
    }
}
