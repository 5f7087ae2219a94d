namespace StickyWs.Affinity;

/// <summary>Hashes the first request header of that name.</summary>
internal sealed class HeaderRule(string pool, string name) : HashRule(pool, "header", name)
{
    protected override bool TryRead(in RequestView request, Span<byte> value, out int length) => request.TryHeader(Name, value, out length);
}
