using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace StickyWs.State;

/// <summary>A tunnel's place in an order: what it is sorted by, and among equals its id.</summary>
internal readonly record struct TunnelPlace(long Key, string Id) : IComparable<TunnelPlace>
{
    public static TunnelPlace First { get; } = new(long.MinValue, "");

    public int CompareTo(TunnelPlace other) => Key.CompareTo(other.Key) is var order && order != 0 ? order : string.CompareOrdinal(Id, other.Id);

    /// <summary>As it is handed out: opaque, and safe in a URL.</summary>
    public override string ToString() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Key} {Id}")));

    public static bool TryParse(string text, out TunnelPlace place)
    {
        place = First;
        if (!Base64Url.IsValid(text)) return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(' ', 2);
        if (parts.Length < 2 || !long.TryParse(parts[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key)) return false;
        place = new TunnelPlace(key, parts[1]);
        return true;
    }
}
