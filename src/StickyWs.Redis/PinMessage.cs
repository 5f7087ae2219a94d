using System.Text;
using System.Text.Unicode;

namespace StickyWs.Redis;

/// <summary>
/// A message on the channel: its sender, the key and the backend's name, separated by spaces. Anything that may write to the server can publish, so
/// everything else is ignored.
/// </summary>
internal readonly record struct PinMessage(string Sender, string Key, string Backend)
{
    /// <summary>The longest backend name that is accepted from the server, in bytes of UTF-8.</summary>
    public const int LongestBackend = 512;

    private const int HexLength = 32;
    private const int BackendAt = 2 * (HexLength + 1);

    public override string ToString() => $"{Sender} {Key} {Backend}";

    public static PinMessage? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length <= BackendAt || message[HexLength] != ' ' || message[BackendAt - 1] != ' ') return null;
        var sender = message[..HexLength];
        var key = message[(HexLength + 1)..(BackendAt - 1)];
        if (!IsHex(sender) || !IsHex(key) || ReadBackend(message[BackendAt..]) is not { } backend) return null;
        return new PinMessage(Encoding.ASCII.GetString(sender), Encoding.ASCII.GetString(key), backend);
    }

    /// <summary>A backend's name, or <see langword="null"/> if it cannot be one.</summary>
    public static string? ReadBackend(ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > LongestBackend || !Utf8.IsValid(name)) return null;
        var text = Encoding.UTF8.GetString(name);
        return text.Any(char.IsControl) ? null : text;
    }

    private static bool IsHex(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (!char.IsAsciiHexDigit((char)value)) return false;
        }

        return true;
    }
}
