using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>Counts a backend's probes in a row and says when they turn it. Belongs to one loop; not for concurrent use.</summary>
internal sealed class ProbeStreak
{
    private int _good;
    private int _failed;
    private BackendState _seen = BackendState.Unknown;

    /// <summary>Counts one probe.</summary>
    /// <param name="failure">Why it failed; <see langword="null"/> when it was good.</param>
    /// <param name="state">The backend's state now.</param>
    /// <param name="options">The rules in force.</param>
    /// <param name="cause">Why the backend turns, when it does.</param>
    public ProbeTurn Count(string? failure, BackendState state, ProbeOptions options, out string cause)
    {
        // Good probes from before the data path opened the breaker say nothing about the time after.
        if (state == BackendState.Unhealthy && _seen != BackendState.Unhealthy) _good = 0;
        _seen = state;
        (_good, _failed) = failure is null ? (_good + 1, 0) : (0, _failed + 1);
        cause = "";
        if (failure is null && state == BackendState.Unknown)
        {
            cause = "probe: the first good one";
            return ProbeTurn.Up;
        }

        if (failure is null && state == BackendState.Unhealthy && _good >= options.Rise)
        {
            cause = _good == 1 ? "probe: a good one" : $"probe: {_good} good ones in a row";
            return ProbeTurn.Up;
        }

        if (failure is null || state is not (BackendState.Unknown or BackendState.Healthy) || _failed < options.Fall) return ProbeTurn.None;
        cause = _failed == 1 ? $"probe: {failure}" : $"probe: {_failed} failures in a row, the last: {failure}";
        return ProbeTurn.Down;
    }
}
