namespace StickyWs.Backends;

/// <summary>What the registry knows of a backend.</summary>
public enum BackendState
{
    /// <summary>Not judged yet. With probing on it gets no work before its first good probe; without probes it does.</summary>
    Unknown,

    /// <summary>Gets new work.</summary>
    Healthy,

    /// <summary>Gets no new work; its tunnels live on.</summary>
    Unhealthy,

    /// <summary>Disabled or removed by the configuration: no new work, its tunnels live on.</summary>
    Draining,
}
