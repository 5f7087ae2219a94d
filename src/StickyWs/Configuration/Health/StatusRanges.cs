using System.Globalization;

namespace StickyWs.Configuration;

/// <summary>A set of HTTP statuses, written as <c>200,204</c> or <c>200-399</c>.</summary>
internal sealed class StatusRanges
{
    private readonly List<(int First, int Last)> _ranges = [];

    public bool Contains(int status) => _ranges.Exists(range => status >= range.First && status <= range.Last);

    public static bool TryParse(string text, out StatusRanges ranges)
    {
        ranges = new StatusRanges();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            if (!TryStatus(dash < 0 ? part : part[..dash], out var first)) return false;
            if (!TryStatus(dash < 0 ? part : part[(dash + 1)..], out var last) || last < first) return false;
            ranges._ranges.Add((first, last));
        }

        return ranges._ranges.Count > 0;
    }

    private static bool TryStatus(string text, out int status)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 599;
}
