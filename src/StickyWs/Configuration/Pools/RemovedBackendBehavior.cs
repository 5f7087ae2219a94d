namespace StickyWs.Configuration;

/// <summary>What happens to the tunnels of a backend that the configuration no longer has.</summary>
public enum RemovedBackendBehavior
{
    /// <summary>They stay open until a side ends them.</summary>
    Keep,

    /// <summary>They are handed off, as by <see cref="BackendMode.HandOff"/>.</summary>
    HandOff,

    /// <summary>They are aborted at once.</summary>
    Cut,
}
