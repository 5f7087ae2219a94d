namespace StickyWs.Configuration;

/// <summary>What a pool does while none of its backends is healthy.</summary>
public enum NoneHealthyBehavior
{
    /// <summary>Answer 503 with <c>Retry-After</c>.</summary>
    FailClosed,

    /// <summary>
    /// Use every enabled backend as if it were healthy (panic mode). For pools whose probe is more likely to be wrong than all backends are to be
    /// down.
    /// </summary>
    UseAll,
}
