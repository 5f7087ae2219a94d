namespace StickyWs.Backends;

/// <summary>Numbers the choices of a pool, so that a policy can be a pure function of a snapshot and a turn.</summary>
internal sealed class TurnCounter
{
    private uint _last = uint.MaxValue;

    public uint Next() => Interlocked.Increment(ref _last);
}
