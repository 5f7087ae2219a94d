using System.Globalization;

namespace StickyWs.Affinity;

/// <summary>Hashes a segment of the path.</summary>
internal sealed class PathSegmentRule(string pool, int index) : HashRule(pool, "path", index.ToString(CultureInfo.InvariantCulture))
{
    protected override bool TryRead(in RequestView request, Span<byte> value, out int length) => request.TryPathSegment(index, value, out length);
}
