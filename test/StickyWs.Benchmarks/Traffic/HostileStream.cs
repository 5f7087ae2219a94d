namespace StickyWs.Benchmarks.Traffic;

/// <summary>What a client sends to make the balancer work that follows its frames.</summary>
internal enum HostileStream
{
    /// <summary>Empty pings, as many as go into a buffer.</summary>
    Pings,

    /// <summary>Empty pings, byte by byte.</summary>
    Trickled,

    /// <summary>One frame without an end.</summary>
    Endless,

    /// <summary>One frame that is longer than frames can be, and so none.</summary>
    Lost,
}
