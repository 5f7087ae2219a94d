using System.Globalization;

namespace StickyWs.Benchmarks.Native;

/// <summary>What the whole machine was busy with, and what it is.</summary>
internal static class Machine
{
    public static string Kernel => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    /// <summary>What new connections pace themselves by; it is part of what long runs of bytes cost.</summary>
    public static string CongestionControl => File.ReadAllText("/proc/sys/net/ipv4/tcp_congestion_control").Trim();

    public static string Processor
        => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1]
        ?? "unknown processor";

    /// <summary>CPU seconds of all cores outside idle, waiting for disks, and stolen by the host (proc_stat(5), in ticks of 10 ms).</summary>
    public static double BusySeconds()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] busy = [1, 2, 3, 6, 7];
        return busy.Sum(i => double.Parse(fields[i], CultureInfo.InvariantCulture)) / 100;
    }
}
