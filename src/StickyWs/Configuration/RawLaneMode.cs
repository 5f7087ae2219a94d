namespace StickyWs.Configuration;

/// <summary>Whether WebSockets on plain-text connections bypass Kestrel's sockets and use the raw Linux transport.</summary>
public enum RawLaneMode
{
    /// <summary>On where the system supports it; otherwise the portable lane is used, which is logged once.</summary>
    Auto,

    /// <summary>On; the application fails to start where the system does not support it.</summary>
    On,

    /// <summary>Off: everything goes through Kestrel's own transport.</summary>
    Off,
}
