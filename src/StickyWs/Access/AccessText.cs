using System.Buffers;
using System.Globalization;
using System.Text;

namespace StickyWs.Access;

/// <summary>Text from outside as it may stand in a line: it can end neither the line nor a field, whatever sink renders it.</summary>
internal static class AccessText
{
    /// <summary>The most characters of a path that are kept, and of any other text.</summary>
    public const int Longest = 256;

    private const string Cut = "...";

    // Visible ASCII but the quote, and the backslash that escapes.
    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    /// <summary>
    /// The text with everything but visible ASCII, and with quotes and backslashes, as <c>\xHH</c> or <c>\uHHHH</c>. One that is too long is cut, and
    /// ends with three dots. Text that needs neither is returned as it is.
    /// </summary>
    public static string Of(string text)
    {
        if (text.Length <= Longest && !text.AsSpan().ContainsAnyExcept(Plain)) return text;
        var output = new StringBuilder(Longest + Cut.Length);
        foreach (var next in text)
        {
            var escaped = Plain.Contains(next) ? null
                : next < 0x100 ? string.Create(CultureInfo.InvariantCulture, $"\\x{(int)next:x2}")
                : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)next:x4}");
            if (output.Length + (escaped?.Length ?? 1) > Longest) return output.Append(Cut).ToString();
            if (escaped is null) output.Append(next);
            else output.Append(escaped);
        }

        return output.ToString();
    }
}
