using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>A backend's load: tunnels and requests under way, relative to its weight.</summary>
internal static class Load
{
    public static bool IsLess(Backend a, Backend b) => Of(a) * b.Weight < Of(b) * a.Weight;

    private static long Of(Backend backend) => (long)backend.ActiveTunnels + backend.ActiveRequests;
}
