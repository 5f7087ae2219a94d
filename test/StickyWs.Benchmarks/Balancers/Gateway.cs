using System.Globalization;
using System.Text.Json;

namespace StickyWs.Benchmarks.Balancers;

/// <summary><c>examples/Gateway</c>, published as native code: StickyWs without a compiler that works while it serves.</summary>
internal static class Gateway
{
    public static Task<Balancer> StartAsync(string program, Place place)
        => Balancer.StartServerAsync(place, (_, port) => Configuration(port, place), program);

    private static string Configuration(int port, Place place)
    {
        var scheme = place.Certificate is null ? "http" : "https";
        var settings = new Dictionary<string, object?>
        {
            ["Logging:LogLevel:Default"] = "None",
            ["Kestrel:Endpoints:one:Url"] = string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{port}"),
            ["Kestrel:Certificates:Default:Path"] = place.Certificate,
            ["Kestrel:Certificates:Default:KeyPath"] = place.Certificate,
            ["StickyWs:Transport:RawLane"] = "On",
            ["StickyWs:Transport:Reactor"] = "IoUring",
            ["StickyWs"] = new
            {
                Pools = new
                {
                    pool = new
                    {
                        Http = "Direct",
                        Policy = place.Others is [] ? "RoundRobin" : "LeastConnections",
                        Tls = new { DangerousAcceptAnyCertificate = place.IsBackendTls },
                        Backends = place.BackendUrls.Index().ToDictionary(one => $"backend{one.Index}", one => new { Address = one.Item }),
                    },
                },
            },
        };
        foreach (var limit in Field.Limits(place).Select(limit => limit.Split('='))) settings.Add("StickyWs:" + limit[0], limit[1]);
        return JsonSerializer.Serialize(settings);
    }
}
