namespace StickyWs.Configuration;

/// <summary>
/// What happens to the tunnels of a backend that is found to be down, by probes or by connects that fail. One that was merely suspended, because of what
/// its clients may have caused, keeps its tunnels in any case.
/// </summary>
public enum DownBackendBehavior
{
    /// <summary>They stay open until they end by themselves.</summary>
    Keep,

    /// <summary>
    /// They are told to go as in a hand-off (<see cref="DrainOptions.Over"/>, <see cref="DrainOptions.CloseCode"/>), once another backend of the pool
    /// serves, and for as long as this one is down.
    /// </summary>
    Goodbye,

    /// <summary>They are aborted at once, or as soon as another backend of the pool serves.</summary>
    Cut,
}
