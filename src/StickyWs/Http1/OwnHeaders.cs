using System.Text;

namespace StickyWs.Http1;

/// <summary>The headers by which the balancer itself speaks, to backends and clients: all that begin with <c>StickyWs-</c>. No client's copy passes.</summary>
internal static class OwnHeaders
{
    private const string Prefix = "StickyWs-";

    /// <summary>Also with an underscore, which many an application server takes for a hyphen.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name)
        => name.Length >= Prefix.Length && Ascii.EqualsIgnoreCase(name[..(Prefix.Length - 1)], Prefix.AsSpan(0, Prefix.Length - 1)) && name[Prefix.Length - 1] is (byte)'-' or (byte)'_';

    public static bool IsOne(ReadOnlySpan<char> name)
        => name.Length >= Prefix.Length && name[..(Prefix.Length - 1)].Equals(Prefix.AsSpan(0, Prefix.Length - 1), StringComparison.OrdinalIgnoreCase) && name[Prefix.Length - 1] is '-' or '_';
}
