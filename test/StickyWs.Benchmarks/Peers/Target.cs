namespace StickyWs.Benchmarks.Peers;

/// <summary>At most so much: of the figure itself, of somebody else's, or of the better one of several that take part.</summary>
internal sealed record Target(double Limit, params string[] Against)
{
    /// <summary>Whose figure; <see langword="null"/> for the base's.</summary>
    public string? Of { get; init; }
}
