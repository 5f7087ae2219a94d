using System.Reflection;
using System.Runtime.InteropServices;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;
using Yarp.ReverseProxy.Configuration;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What exactly was compared, and on what.</summary>
internal static class Versions
{
    public static IReadOnlyList<string> Read(PeersOptions options) =>
    [
        .. options.HaProxy.Concat(options.Nginx).Select(Programs.Version),
        $"YARP {Informational(typeof(RouteConfig)).Split('+')[0]}",
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}, workstation GC, not concurrent",
        $"Linux {Machine.Kernel}, congestion control {Machine.CongestionControl}, {Environment.ProcessorCount} cores of {Machine.Processor}",
    ];

    private static string Informational(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";

}
