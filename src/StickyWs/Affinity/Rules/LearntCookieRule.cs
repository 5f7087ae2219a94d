using System.Text;
using StickyWs.Http1;
using StickyWs.Pinning;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace StickyWs.Affinity;

/// <summary>Learns the value of a cookie that backends set.</summary>
internal sealed class LearntCookieRule(string pool, string name) : PinRule(pool, "learnt cookie", name)
{
    private const int LongestSetCookie = 4096;

    private readonly byte[] _name = Encoding.ASCII.GetBytes(name);

    public override bool TryLearn(IAnswerHead answer, out PinKey key)
    {
        Span<byte> line = stackalloc byte[LongestSetCookie];
        for (var i = 0; answer.TryRead(HeaderNames.SetCookie, i, line, out var length); i++)
        {
            // A name-value pair, then attributes (RFC 6265 section 4.1.1), which are ignored.
            var pair = (ReadOnlySpan<byte>)line[..length];
            var semicolon = pair.IndexOf((byte)';');
            if (semicolon >= 0) pair = pair[..semicolon];
            if (!Pairs.TryFindCookie(pair, _name, out var value) || value.IsEmpty || value.Length > PinKey.LongestValue) continue;
            key = Key(value);
            return true;
        }

        key = default;
        return false;
    }

    protected override bool TryRead(in RequestView request, Span<byte> value, out int length) => request.TryCookie(_name, value, out length);
}
