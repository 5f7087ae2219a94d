using System.Globalization;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>A process and its descendants, as they were when it was made: what a balancer uses, be it one process or a master with workers.</summary>
internal sealed class ProcessTree(int root)
{
    private readonly List<int> _processes = Collect(root);

    /// <summary>User and system time so far, in seconds.</summary>
    public double CpuSeconds() => _processes.Sum(CpuClock.Seconds);

    /// <summary>Resident memory that no file backs, in bytes (<c>RssAnon</c> and <c>RssShmem</c> of proc_pid_status(5)).</summary>
    public long Memory() => _processes.Sum(process => 1024 * File.ReadLines($"/proc/{process}/status").Sum(Kibibytes));

    private static long Kibibytes(string line)
        => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal)
            ? long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)
            : 0;

    private static List<int> Collect(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var process) && Parent(folder) is { } parent)
                parents[process] = parent;
        }

        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count; i++) tree.AddRange(parents.Where(pair => pair.Value == tree[i]).Select(pair => pair.Key));
        return tree;
    }

    private static int? Parent(string folder)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // It has ended meanwhile.
        }
    }
}
