using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>How many files a process may open at most; every child lifts its own limit to that.</summary>
internal static class OpenFiles
{
    public static int Limit { get; } = Read();

    private static int Read()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return int.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }
}
