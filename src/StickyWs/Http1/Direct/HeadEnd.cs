namespace StickyWs.Http1;

/// <summary>Finds the end of a head, and looks at no byte twice while the head trickles in.</summary>
internal static class HeadEnd
{
    public const int NotYet = 0;
    public const int Never = -1;

    /// <param name="bytes">What is there so far, from the start of the head.</param>
    /// <param name="searched">How many bytes were looked at before: 0 at first, and kept by the caller.</param>
    /// <returns>
    /// The length of the head with its empty line; <see cref="NotYet"/>; or <see cref="Never"/> at a line that ends without CR. A head with such a line
    /// is not always found out: the reader of the lines refuses it then.
    /// </returns>
    public static int Find(ReadOnlySpan<byte> bytes, ref int searched)
    {
        var from = Math.Max(0, searched - 3);
        if (bytes[from..].IndexOf("\r\n\r\n"u8) is >= 0 and var end) return from + end + 4;
        while (bytes[searched..].IndexOf((byte)'\n') is >= 0 and var line)
        {
            var at = searched + line;
            if (at == 0 || bytes[at - 1] != '\r') return Never;
            searched = at + 1;
        }

        searched = bytes.Length;
        return NotYet;
    }

    /// <summary>The first line with its line end, if the end is among the bytes from <paramref name="before"/> on.</summary>
    public static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> bytes, int before)
    {
        if (bytes[before..].IndexOf((byte)'\n') is not (>= 0 and var end) || bytes[..before].Contains((byte)'\n')) return default;
        return bytes[..(before + end + 1)];
    }
}
