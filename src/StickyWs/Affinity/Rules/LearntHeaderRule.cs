using StickyWs.Http1;
using StickyWs.Pinning;


namespace StickyWs.Affinity;

/// <summary>Learns the value of a header that backends send.</summary>
internal sealed class LearntHeaderRule(string pool, string name) : PinRule(pool, "learnt header", name.ToUpperInvariant())
{
    public override bool TryLearn(IAnswerHead answer, out PinKey key)
    {
        Span<byte> value = stackalloc byte[PinKey.LongestValue];
        var isLearnt = answer.TryRead(Name, 0, value, out var length) && length > 0;
        key = isLearnt ? Key(value[..length]) : default;
        return isLearnt;
    }

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length) => request.TryHeader(Name, value, out length);
}
