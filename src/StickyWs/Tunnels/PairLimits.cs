namespace StickyWs.Tunnels;

/// <summary>The time-outs of a pair.</summary>
/// <param name="Idle">The longest time without a byte in either direction; <see langword="null"/> for no limit.</param>
/// <param name="HalfClosed">The same after one side has finished; <see langword="null"/> for no limit.</param>
/// <param name="DeadPeer">How long sent bytes may stay unacknowledged; <see langword="null"/> for the system's default.</param>
/// <param name="Watch">Watches over each side apart; <see langword="null"/> for no limit.</param>
internal readonly record struct PairLimits(
    TimeSpan? Idle = null, TimeSpan? HalfClosed = null, TimeSpan? DeadPeer = null, TunnelWatch? Watch = null);
