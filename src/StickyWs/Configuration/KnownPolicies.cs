namespace StickyWs.Configuration;

/// <summary>The names of the balancing policies that are registered, as the validator needs them.</summary>
internal sealed class KnownPolicies(IEnumerable<string> names)
{
    public IReadOnlySet<string> Names { get; } = new SortedSet<string>(names, StringComparer.OrdinalIgnoreCase);
}
