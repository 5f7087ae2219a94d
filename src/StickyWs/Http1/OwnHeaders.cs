using System.Numerics;

namespace StickyWs.Http1;

/// <summary>The balancer's own headers, to backends and to clients: all that begin with <c>StickyWs-</c>. A client's copy is always
/// dropped.</summary>
internal static class OwnHeaders
{
    private const string Prefix = "StickyWs";

    /// <summary>Also with an underscore, which many an application server takes for a hyphen. The name is bytes or characters.</summary>
    public static bool IsOne<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => name.Length > Prefix.Length
            && (name[Prefix.Length] == T.CreateTruncating('-') || name[Prefix.Length] == T.CreateTruncating('_'))
            && HeaderNames.Is(name[..Prefix.Length], Prefix);
}
