using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>Counts consecutive results of a backend's probes and says when they change its health. Belongs to one loop; not for concurrent use.</summary>
internal sealed class ProbeStreak
{
    private int _good;
    private int _failed;

    /// <summary>Counts one probe.</summary>
    /// <param name="failure">Why it failed; <see langword="null"/> for success.</param>
    /// <param name="health">The backend's current health.</param>
    /// <param name="options">The rules in effect.</param>
    /// <param name="isProven">Whether traffic has proved the same: then one failed probe is enough.</param>
    /// <param name="cause">Why the backend turns, when it does.</param>
    public ProbeTurn Count(string? failure, BackendState health, ProbeOptions options, bool isProven, out string cause)
    {
        (_good, _failed) = failure is null ? (_good + 1, 0) : (0, _failed + 1);
        cause = "";
        if (failure is null && health == BackendState.Unknown)
        {
            cause = "probe: the first good one";
            return ProbeTurn.Up;
        }

        if (failure is null && health == BackendState.Unhealthy && _good >= options.Rise)
        {
            cause = _good == 1 ? "probe: a good one" : $"probe: {_good} good ones in a row";
            return ProbeTurn.Up;
        }

        if (failure is null || health is not (BackendState.Unknown or BackendState.Healthy) || _failed < (isProven ? 1 : options.Fall)) return ProbeTurn.None;
        cause = (isProven, _failed) switch
        {
            (true, 1) => $"traffic raised suspicion, and the probe agrees: {failure}",
            (_, 1) => $"probe: {failure}",
            _ => $"probe: {_failed} failures in a row, the last: {failure}",
        };
        return ProbeTurn.Down;
    }
}

/// <summary>What a probe changes about its backend.</summary>
internal enum ProbeTurn
{
    None,
    Up,
    Down,
}
