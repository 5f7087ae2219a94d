namespace StickyWs.Configuration;

/// <summary>What a backend gets, from everything to nothing: in service, or one of the three verbs of draining. Each includes those before it.</summary>
public enum BackendMode
{
    /// <summary>In service: it gets new work.</summary>
    On,

    /// <summary>
    /// Gets no new work, except of clients that are pinned to it by affinity: their plain requests and their tunnels still get in. Its tunnels stay
    /// open. As <c>drain</c> of HAProxy.
    /// </summary>
    Stop,

    /// <summary>
    /// Its tunnels are told to go, spread over <see cref="DrainOptions.Over"/>, and pins to it no longer count: its clients move to other backends,
    /// which are told so (<c>StickyWs-Moved-From</c>). What is left at <see cref="DrainOptions.Deadline"/> is cut.
    /// </summary>
    HandOff,

    /// <summary>Its tunnels are aborted at once, and it gets none any more. Plain requests under way end by themselves.</summary>
    Cut,
}
