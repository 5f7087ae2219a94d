using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// One way to ask a backend whether it is healthy. Keeps no state between two probes and has no clock: the caller cancels it on time-out.
/// </summary>
internal interface IProbe
{
    /// <summary>Returns if the backend is healthy; any exception says why it is not.</summary>
    /// <exception cref="ProbeFailedException">The backend answered, but not as it should.</exception>
    ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken);
}

/// <summary>A backend answered a probe, but not as it should. The message is the cause that the log shows.</summary>
internal sealed class ProbeFailedException(string cause) : Exception(cause);
