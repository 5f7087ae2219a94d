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

    /// <summary>
    /// Stopped, handed off or cut (<see cref="Configuration.BackendMode"/>), or removed by the configuration: it gets no new work, except of clients
    /// that are pinned to it and not handed off.
    /// </summary>
    Draining,
}
