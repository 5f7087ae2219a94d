namespace StickyWs.Binding;

/// <summary>Finds the known name that a misspelt one was meant to be.</summary>
internal static class Spelling
{
    private const int ShortestBeginning = 4;

    /// <summary>What to do about an unknown name: use the nearest known one, if one is near, or any of the known ones.</summary>
    public static string Remedy(string written, IReadOnlyCollection<string> known)
    {
        var all = $"se one of {string.Join(", ", known)}";
        return Nearest(written, known) is { } meant ? $"did you mean {meant}? U{all}" : $"u{all}";
    }

    /// <returns><see langword="null"/> if none is near.</returns>
    public static string? Nearest(string written, IEnumerable<string> known)
        => known.Where(name => IsNear(written, name)).MinBy(name => Distance(Plain(written), Plain(name)));

    /// <summary>Whether they differ only in case, hyphens or up to a third of their letters, or one begins with the other.</summary>
    public static bool IsNear(string written, string known)
    {
        var (a, b) = (Plain(written), Plain(known));
        var isLongEnough = Math.Min(a.Length, b.Length) >= ShortestBeginning;
        if (isLongEnough && (a.StartsWith(b, StringComparison.Ordinal) || b.StartsWith(a, StringComparison.Ordinal))) return true;
        return a.Length > 1 && Distance(a, b) <= Math.Max(1, Math.Max(a.Length, b.Length) / 3);
    }

    private static string Plain(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToUpperInvariant();

    // Counts letters that are inserted, missing, replaced, or swapped with their neighbour.
    private static int Distance(string a, string b)
    {
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) cost[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) cost[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replaced, 1 + Math.Min(cost[i - 1, j], cost[i, j - 1]));
                var isSwapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (isSwapped) cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }

        return cost[a.Length, b.Length];
    }
}
