namespace StickyWs.TestKit;

/// <summary>What the kernel refuses to a <see cref="BalancerProcess"/>.</summary>
public enum Refused
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>io_uring.</summary>
    Uring,

    /// <summary>To enlarge a pipe.</summary>
    LargePipes,

    /// <summary>To enlarge a pipe, and to tell how large one is.</summary>
    PipeSizes,
}
