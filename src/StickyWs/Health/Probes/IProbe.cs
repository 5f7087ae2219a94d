using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>One way of asking a backend whether it is well. Holds no state between two probes and no clock: the caller cancels it in time.</summary>
internal interface IProbe
{
    /// <summary>Returns when the backend is well; every other way of ending says why not.</summary>
    /// <exception cref="ProbeFailedException">The backend answered, but not as it should.</exception>
    ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken);
}

/// <summary>A backend answered a probe, but not as it should. The message is the cause that the log shows.</summary>
internal sealed class ProbeFailedException(string cause) : Exception(cause);
