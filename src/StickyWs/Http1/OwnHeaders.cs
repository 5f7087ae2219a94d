using System.Text;

namespace StickyWs.Http1;

/// <summary>The balancer's own headers, to backends and to clients: all that begin with <c>StickyWs-</c>. A client's copy is always
/// dropped.</summary>
internal static class OwnHeaders
{
    private const string Prefix = "StickyWs-";

    /// <summary>Also matches an underscore in place of the hyphen, which many application servers treat alike.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name)
        => name.Length >= Prefix.Length
            && Ascii.EqualsIgnoreCase(name[..(Prefix.Length - 1)], Prefix.AsSpan(0, Prefix.Length - 1))
            && name[Prefix.Length - 1] is (byte)'-' or (byte)'_';

    public static bool IsOne(ReadOnlySpan<char> name)
        => name.Length >= Prefix.Length
            && name[..(Prefix.Length - 1)].Equals(Prefix.AsSpan(0, Prefix.Length - 1), StringComparison.OrdinalIgnoreCase)
            && name[Prefix.Length - 1] is '-' or '_';
}
