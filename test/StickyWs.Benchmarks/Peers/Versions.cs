using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;
using Yarp.ReverseProxy.Configuration;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What exactly was compared, and on what.</summary>
internal static class Versions
{
    public static async Task<IReadOnlyList<string>> ReadAsync(PeersOptions options) =>
    [
        await AskAsync(options.HaProxy ?? Programs.Find("haproxy")) ?? "no HAProxy",
        await AskAsync(options.Nginx ?? Programs.Find("nginx")) ?? "no nginx",
        $"YARP {Informational(typeof(RouteConfig)).Split('+')[0]}",
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}, workstation GC, not concurrent",
        $"Linux {Machine.Kernel}, congestion control {Machine.CongestionControl}, {Environment.ProcessorCount} cores of {Machine.Processor}",
    ];

    private static string Informational(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";

    private static async Task<string?> AskAsync(string? program)
    {
        if (program is null) return null;
        using var process = Process.Start(new ProcessStartInfo(program, ["-v"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (await process.StandardOutput.ReadToEndAsync(), await process.StandardError.ReadToEndAsync());
        return (output + error).Split('\n')[0].Trim();
    }
}
