namespace StickyWs.State;

/// <summary>In which order tunnels are shown.</summary>
public enum TunnelOrder
{
    /// <summary>Those that have been open for the longest time first. Going on from page to page shows each of those that stay open exactly once.</summary>
    Oldest,

    /// <summary>Those that opened last first. Pages as for <see cref="Oldest"/>.</summary>
    Newest,

    /// <summary>Those first in which no byte has moved for the longest time. A tunnel that moves bytes meanwhile changes its place.</summary>
    Idlest,

    /// <summary>Those first that have carried the most bytes, both ways together. A tunnel that moves bytes meanwhile changes its place.</summary>
    Busiest,

    /// <summary>Those first that carry the most bytes a second, both ways together, as far as is known. Places change as for <see cref="Busiest"/>.</summary>
    Fastest,

    /// <summary>By the client's address and port.</summary>
    Client,

    /// <summary>By pool and backend.</summary>
    Backend,

    /// <summary>By lane and reactor.</summary>
    Lane,

    /// <summary>By the client's pin; those without one first.</summary>
    Pin,

    /// <summary>
    /// In no order, but always in the same: so the first ones are a sample of all, and at the next look they are the same, as far as they are still open.
    /// </summary>
    Sampled,
}
