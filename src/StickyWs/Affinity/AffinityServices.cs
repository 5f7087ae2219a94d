using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>What the rules of all pools share.</summary>
internal sealed record AffinityServices(BackendRegistry Registry, Pins Pins, CookieSeals Seals, StickyWsMetrics Metrics, TimeProvider Time)
{
    public OpenClaims Open { get; } = new();
}
