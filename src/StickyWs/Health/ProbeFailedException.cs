namespace StickyWs.Health;

/// <summary>A backend answered a probe, but not as it should. The message is the cause that the log shows.</summary>
internal sealed class ProbeFailedException(string cause) : Exception(cause);
