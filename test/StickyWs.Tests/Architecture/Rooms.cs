using System.Collections.Frozen;

namespace StickyWs.Tests.Architecture;

/// <summary>The law of imports: which room may know which. ARCHITECTURE.md shows it to readers.</summary>
internal static class Rooms
{
    public static readonly FrozenDictionary<string, string[]> MayImport = new Dictionary<string, string[]>
    {
        ["Configuration"] = [],
        ["Observability"] = [],
        ["Kernel"] = [],
        ["Tls"] = ["Kernel"],
        ["Http1"] = [],
        ["Frames"] = [],
        ["Names"] = [],
        ["Binding"] = ["Configuration", "Observability"],
        ["Detection"] = ["Http1", "Tls"],
        ["Reactors"] = ["Configuration", "Kernel", "Observability"],
        ["Transport"] = ["Configuration", "Kernel", "Observability", "Reactors", "Tls"],
        ["Backends"] = ["Configuration", "Http1", "Names", "Observability"],
        ["Access"] = ["Backends", "Configuration", "Http1", "Kernel", "Observability", "Transport"],
        ["Balancing"] = ["Backends"],
        ["Pinning"] = ["Backends", "Configuration", "Observability"],
        ["Affinity"] = ["Backends", "Configuration", "Http1", "Observability", "Pinning"],
        ["Dialing"] = ["Access", "Backends", "Configuration", "Frames", "Kernel", "Names", "Observability", "Reactors", "Tls", "Transport"],
        ["Health"] = ["Backends", "Configuration", "Dialing", "Http1", "Observability"],
        ["Dispatch"] = ["Affinity", "Backends", "Balancing", "Configuration", "Http1", "Observability", "Pinning"],
        ["Tunnels"] = ["Access", "Backends", "Configuration", "Dialing", "Frames", "Kernel", "Observability", "Reactors", "Tls", "Transport"],
        ["Draining"] = ["Backends", "Configuration", "Health", "Observability", "Tunnels"],
        ["State"] = ["Access", "Backends", "Configuration", "Draining", "Kernel", "Observability", "Reactors", "Transport", "Tunnels"],
        ["Forwarding"] = ["Access", "Backends", "Configuration", "Dialing", "Frames", "Http1", "Observability", "Tls", "Transport", "Tunnels"],
        ["Direct"] =
        [
            "Access", "Affinity", "Backends", "Configuration", "Dialing", "Dispatch", "Forwarding", "Health", "Http1", "Kernel", "Observability", "Reactors",
            "Tls", "Transport",
        ],
        ["Connections"] =
        [
            "Access", "Backends", "Configuration", "Detection", "Dialing", "Direct", "Dispatch", "Forwarding", "Frames", "Http1", "Observability", "Reactors",
            "Tls", "Transport", "Tunnels",
        ],
        ["Pipeline"] = ["Access", "Backends", "Dispatch", "Health", "Http1", "Transport"],
        ["Upgrades"] =
        [
            "Access", "Backends", "Configuration", "Detection", "Dialing", "Dispatch", "Forwarding", "Http1", "Observability", "Pipeline", "Transport",
            "Tunnels",
        ],
        ["Proxying"] =
        [
            "Access", "Backends", "Configuration", "Dialing", "Dispatch", "Forwarding", "Http1", "Names", "Observability", "Pipeline", "Transport",
            "Upgrades",
        ],
        ["Hosting"] =
        [
            "Access", "Affinity", "Backends", "Balancing", "Binding", "Configuration", "Connections", "Detection", "Dialing", "Direct", "Dispatch", "Draining",
            "Forwarding", "Health", "Http1", "Kernel", "Names", "Observability", "Pinning", "Pipeline", "Proxying", "Reactors", "State", "Tls",
            "Transport", "Tunnels", "Upgrades",
        ],
    }.ToFrozenDictionary();

    /// <summary>The room of a type of ours, or <see langword="null"/> for one that only a generator made.</summary>
    public static string? Of(TypeName type) => type.Namespace switch
    {
        _ when type.Assembly != "StickyWs" => null,
        ['S', 't', 'i', 'c', 'k', 'y', 'W', 's', '.', .. var room] => room.Split('.')[0],
        // Where users look for extension methods.
        "Microsoft.AspNetCore.Builder" or "Microsoft.AspNetCore.Hosting" or "Microsoft.Extensions.DependencyInjection" => "Hosting",
        _ => null,
    };
}
