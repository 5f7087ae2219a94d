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
}
