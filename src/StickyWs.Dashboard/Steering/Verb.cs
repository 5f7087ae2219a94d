namespace StickyWs.Dashboard.Steering;

/// <summary>What can be done with backends.</summary>
internal enum Verb
{
    /// <summary>No new work, except of clients that are pinned.</summary>
    Stop,

    /// <summary>Tunnels are told to go, over a time.</summary>
    HandOff,

    /// <summary>Tunnels are aborted.</summary>
    Cut,

    /// <summary>Back into service.</summary>
    Undrain,

    /// <summary>Another share of new work.</summary>
    Weight,
}
