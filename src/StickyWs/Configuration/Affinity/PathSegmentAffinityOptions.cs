namespace StickyWs.Configuration;

/// <summary>Hashes a segment of the decoded path, the one by which the pool is matched.</summary>
public sealed class PathSegmentAffinityOptions
{
    /// <summary>
    /// Which segment, from 0: of <c>/rooms/42/chat</c> segment 1 is <c>42</c>. Compared with case; an empty one counts, and is no key. Range 0 to
    /// 100; default 0.
    /// </summary>
    [NumberRange(0, 100)]
    public int Index { get; set; }
}
