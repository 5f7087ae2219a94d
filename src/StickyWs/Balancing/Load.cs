using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>A backend's load: tunnels and requests under way, relative to its weight, of which a backend that warms up has a part.</summary>
internal static class Load
{
    public static bool IsLess(Backend a, Backend b) => Of(a) * b.FineWeight < Of(b) * a.FineWeight;

    private static long Of(Backend backend) => (long)backend.ActiveTunnels + backend.ActiveRequests;
}
