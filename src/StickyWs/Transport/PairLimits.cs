namespace StickyWs.Transport;

/// <summary>What ends a pair that neither side ends.</summary>
/// <param name="Idle">Time without a byte in either direction; <see langword="null"/> for no limit.</param>
/// <param name="HalfClosed">The same once one side has finished; <see langword="null"/> for no limit.</param>
internal readonly record struct PairLimits(TimeSpan? Idle, TimeSpan? HalfClosed);
