using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace StickyWs.State;

/// <summary>A tunnel's place in an order: what it is sorted by, a number or a text, and among equals its id.</summary>
internal readonly record struct TunnelPlace(long Key, string Text, string Id) : IComparable<TunnelPlace>
{
    public int CompareTo(TunnelPlace other)
    {
        if (Key != other.Key) return Key.CompareTo(other.Key);
        return string.CompareOrdinal(Text, other.Text) is var order && order != 0 ? order : string.CompareOrdinal(Id, other.Id);
    }

    /// <summary>As it is handed out: opaque, and safe in a URL.</summary>
    public override string ToString()
        => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Key} {Text.Length} {Text}{Id}")));

    public static bool TryParse(string text, out TunnelPlace place)
    {
        place = default;
        if (!Base64Url.IsValid(text)) return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(' ', 3);
        if (parts.Length < 3 || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > parts[2].Length) return false;
        place = new TunnelPlace(key, parts[2][..length], parts[2][length..]);
        return true;
    }
}
