using System.Globalization;
using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>The comparison as a page.</summary>
internal static class Report
{
    public static string Write(Contestant ours, Contestant theirs, int tunnels) => string.Create(CultureInfo.InvariantCulture, $"""
        # Tunnels: {ours.Name} and {theirs.Name} side by side

        Written by `dotnet run -c Release --project test/StickyWs.Benchmarks -- tunnels --out FILE`. Medians of the rounds; the ratio, the median of the ratios round by round, is what counts.

        | | {ours.Name} | {theirs.Name} | ratio | target |
        |---|---:|---:|---:|---|
        | CPU per echoed message, µs | {ours.CpuPerMessage:F2} | {theirs.CpuPerMessage:F2} | {Ratio(ours.CpuRounds, theirs.CpuRounds):F2} | ratio ≤ 0.8 |
        | of it in user mode, µs | {ours.UserPerMessage:F2} | {theirs.UserPerMessage:F2} | {ours.UserPerMessage / theirs.UserPerMessage:F2} | |
        | Allocated per echoed message, B | {ours.AllocatedPerMessage:F1} | {theirs.AllocatedPerMessage:F1} | | 0 |
        | Memory per idle tunnel, KiB | {ours.MemoryPerTunnel / 1024:F1} | {theirs.MemoryPerTunnel / 1024:F1} | {ours.MemoryPerTunnel / theirs.MemoryPerTunnel:F2} | ≤ 12 KiB |
        | of it managed heap, KiB | {ours.HeapPerTunnel / 1024:F1} | {theirs.HeapPerTunnel / 1024:F1} | {ours.HeapPerTunnel / theirs.HeapPerTunnel:F2} | |

        - Echo: {tunnels} tunnels, one message of {WebSocketFrame.PayloadLength} B under way in each; user and system time of the balancer's process. A message is one there and one back.
          The kernel's part is the same for both, call by call: two sends, four receives of which two find nothing yet, and the wait for events.
        - Idle: slope of `RssAnon` between 500 and 4,000 tunnels that have carried one message each, after collections (aggressive) until it stays within 1 %.
        - Rounds in turns, both balancers {(Child.IsPinning ? "on core 1, backend and load on core 0" : "unpinned")}. CPU: {Rounds(ours.CpuRounds, theirs.CpuRounds, 1, "µs")}. Memory: {Rounds(ours.MemoryRounds, theirs.MemoryRounds, 1024, "KiB")}.
        - {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}, workstation GC, not concurrent, for both; HTTP/1.1 without TLS over loopback.

        """);

    private static double Ratio(IReadOnlyList<double> ours, IReadOnlyList<double> theirs)
        => ours.Count == 0 ? double.NaN : ours.Zip(theirs, (a, b) => a / b).Order().ElementAt(ours.Count / 2);

    private static string Rounds(IReadOnlyList<double> ours, IReadOnlyList<double> theirs, double unit, string unitName)
        => string.Join(", ", ours.Zip(theirs, (a, b) => string.Create(CultureInfo.InvariantCulture, $"{a / unit:F1}:{b / unit:F1}"))) + " " + unitName;
}
