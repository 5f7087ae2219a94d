using System.Globalization;

namespace StickyWs.Dashboard.Reading;

/// <summary>Durations as people type them: <c>300</c> and <c>300s</c> are seconds, <c>5m</c>, <c>1.5h</c>, <c>2d</c>.</summary>
internal static class Durations
{
    private static readonly double Longest = TimeSpan.FromDays(10_000).TotalSeconds;

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        if (text.IsEmpty) return false;
        var unit = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 };
        if (unit != 0) text = text[..^1];
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var seconds = number * Math.Max(unit, 1);
        if (!(seconds >= 0 && seconds <= Longest)) return false; // Not even a number, perhaps.
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }
}
