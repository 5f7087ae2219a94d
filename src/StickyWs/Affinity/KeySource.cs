using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>Where the key of a request came from.</summary>
internal enum KeySource
{
    /// <summary>The client is new.</summary>
    None,

    /// <summary>The balancer's cookie.</summary>
    Cookie,

    /// <summary>A pin that was learnt.</summary>
    Pin,

    /// <summary>Hashing; the memory of the last backend is this process's own.</summary>
    Hash,

    /// <summary>Hashing of the client's address in place of pins that cannot be shared at the moment: nothing is remembered of it.</summary>
    Fallback,
}
