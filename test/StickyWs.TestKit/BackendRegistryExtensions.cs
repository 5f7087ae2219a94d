using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.TestKit;

/// <summary>A registry without a source.</summary>
internal static class BackendRegistryExtensions
{
    /// <summary>Applies options as the next revision.</summary>
    public static void Apply(this BackendRegistry registry, StickyWsOptions options) => registry.Apply(Definitions.Of(options, registry.Current.Revision + 1));
}
