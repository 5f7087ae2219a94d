using System.Collections.Frozen;

namespace StickyWs.Tests.Architecture;

/// <summary>The law of imports: which room may know which. ARCHITECTURE.md shows it to readers.</summary>
internal static class Rooms
{
    public static readonly FrozenDictionary<string, string[]> MayImport = new Dictionary<string, string[]>
    {
        ["Configuration"] = [],
        ["Observability"] = [],
        ["Detection"] = [],
        ["Names"] = [],
        ["Reactors"] = ["Configuration", "Observability"],
        ["Transport"] = ["Configuration", "Names", "Observability", "Reactors"],
        ["Backends"] = ["Configuration", "Detection", "Names", "Observability"],
        ["Balancing"] = ["Backends"],
        ["Affinity"] = ["Backends", "Configuration", "Detection", "Observability"],
        ["Health"] = ["Backends", "Configuration", "Detection", "Observability"],
        ["Dispatch"] = ["Affinity", "Backends", "Balancing", "Configuration", "Detection", "Observability"],
        ["Forwarding"] = ["Backends", "Configuration", "Detection", "Names", "Observability", "Reactors", "Transport"],
        ["Proxying"] = ["Backends", "Configuration", "Detection", "Dispatch", "Forwarding", "Names", "Observability", "Transport"],
        ["Connections"] = ["Backends", "Configuration", "Detection", "Dispatch", "Forwarding", "Observability", "Reactors", "Transport"],
        ["Hosting"] = ["Affinity", "Backends", "Balancing", "Configuration", "Connections", "Detection", "Dispatch", "Forwarding", "Health", "Names", "Observability", "Proxying", "Reactors", "Transport"],
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
