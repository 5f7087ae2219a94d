namespace StickyWs.Configuration;

/// <summary>Hashes a segment of the decoded path (the path that also selects the pool).</summary>
public sealed class PathSegmentAffinityOptions
{
    /// <summary>
    /// The index of the segment, from 0: in <c>/rooms/42/chat</c> segment 1 is <c>42</c>. Case-sensitive. An empty segment is counted, but is not a
    /// key. Range 0 to 100; default 0.
    /// </summary>
    [NumberRange(0, 100)]
    public int Index { get; set; }
}
