namespace StickyWs.Backends;

/// <summary>
/// Numbers the choices of a pool, so that a policy can be a pure function of a snapshot and a turn. Second choices, for work whose first backend could
/// not take it, have numbers of their own: the turn of the backend that comes next in the cycle would otherwise be spent on them, again and again.
/// </summary>
internal sealed class TurnCounter
{
    private uint _last = uint.MaxValue;
    private uint _lastAgain = uint.MaxValue;

    /// <summary>The choices that are not the policy's; they survive changes of the pool as turns do.</summary>
    public Returns Returns { get; } = new();

    public uint Next() => Interlocked.Increment(ref _last);

    public uint NextAgain() => Interlocked.Increment(ref _lastAgain);
}
