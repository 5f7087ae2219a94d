using System.Text;

namespace StickyWs.Fuzz;

/// <summary>Writes corpora readably: one line each, CRLF between and an empty line behind.</summary>
internal static class Seeds
{
    public static byte[] Head(params string[] lines) => Raw(string.Join("\r\n", lines) + "\r\n\r\n");

    public static byte[] Raw(string text) => Encoding.Latin1.GetBytes(text);

    public static byte[][] All(params string[] texts) => [.. texts.Select(Raw)];
}
