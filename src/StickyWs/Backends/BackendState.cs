namespace StickyWs.Backends;

/// <summary>The state of a backend as the registry knows it.</summary>
public enum BackendState
{
    /// <summary>Not judged yet. With probes it gets no work before its first success; without probes it does.</summary>
    Unknown,

    /// <summary>Gets new work.</summary>
    Healthy,

    /// <summary>Gets no new work; its tunnels stay open.</summary>
    Unhealthy,

    /// <summary>Disabled or removed by the configuration: it gets no new work, its tunnels stay open.</summary>
    Draining,
}
