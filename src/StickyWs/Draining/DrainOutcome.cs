namespace StickyWs.Draining;

/// <summary>What has come of a drain.</summary>
public enum DrainOutcome
{
    /// <summary>It goes on: something is left.</summary>
    Draining,

    /// <summary>No tunnel and no request was left.</summary>
    Empty,

    /// <summary>The same, but some tunnels had to be aborted: <see cref="DrainStatus.Cut"/>.</summary>
    Cut,

    /// <summary>The backend is in service.</summary>
    Undrained,
}
