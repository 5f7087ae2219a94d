namespace StickyWs.Configuration;

/// <summary>Whether WebSockets on plain connections leave Kestrel for the raw Linux transport.</summary>
public enum RawLaneMode
{
    /// <summary>On where the system offers what it takes; the portable lane serves elsewhere, and the log says so once.</summary>
    Auto,

    /// <summary>On; where that cannot be, the start is stopped.</summary>
    On,

    /// <summary>Off: all goes through Kestrel's own transport.</summary>
    Off,
}
