namespace StickyWs.TestKit;

/// <summary>What is wrong with a <see cref="MemoryPins"/>.</summary>
public enum StoreFault
{
    /// <summary>Nothing: it answers at once.</summary>
    None,

    /// <summary>It answers after <see cref="MemoryPins.Delay"/>, unless nobody waits any more.</summary>
    Slow,

    /// <summary>It throws.</summary>
    Failing,

    /// <summary>It never answers, whatever becomes of the token.</summary>
    Hanging,
}
