using System.Text;

namespace StickyWs.Affinity;

/// <summary>Hashes a query parameter.</summary>
internal sealed class QueryRule(string pool, string name) : HashRule(pool, "query", name)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length) => request.TryQuery(_name, value, out length);
}
