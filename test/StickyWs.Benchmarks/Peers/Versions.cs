using System.Reflection;
using System.Runtime.InteropServices;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Native;
using StickyWs.Tls;
using Yarp.ReverseProxy.Configuration;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What exactly was compared, and on what.</summary>
internal static class Versions
{
    public static IReadOnlyList<string> Read(PeersOptions options) =>
    [
        .. options.HaProxy.Concat(options.Nginx).Select(Programs.Version),
        $"YARP {Informational(typeof(RouteConfig)).Split('+')[0]}",
        OpenSslVersion(),
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}, workstation GC, not concurrent",
        $"Linux {Machine.Kernel}, congestion control {Machine.CongestionControl}, {Environment.ProcessorCount} cores of {Machine.Processor}",
    ];

    // MNN00PP0 in hexadecimal, since 3.0 (OPENSSL_VERSION_NUMBER(3)).
    private static string OpenSslVersion()
    {
        if (TlsLibrary.Refusal is { } refusal) return $"no OpenSSL for the .NET processes: {refusal}";
        var number = OpenSsl.OpenSSL_version_num();
        return $"OpenSSL {number >> 28}.{(number >> 20) & 0xff}.{(number >> 4) & 0xff} in the .NET processes";
    }

    private static string Informational(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?";
}
