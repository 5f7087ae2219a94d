namespace StickyWs.Tunnels;

/// <summary>What ends a pair that neither side ends.</summary>
/// <param name="Idle">Time without a byte in either direction; <see langword="null"/> for no limit.</param>
/// <param name="HalfClosed">The same once one side has finished; <see langword="null"/> for no limit.</param>
/// <param name="DeadPeer">Time for which a peer may leave unacknowledged what it was sent; <see langword="null"/> for the system's own patience.</param>
internal readonly record struct PairLimits(TimeSpan? Idle = null, TimeSpan? HalfClosed = null, TimeSpan? DeadPeer = null);
