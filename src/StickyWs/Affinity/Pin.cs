namespace StickyWs.Affinity;

/// <summary>A pin as the process remembers it. Times are seconds of <see cref="PinClock"/>.</summary>
/// <param name="Backend">The backend's name.</param>
/// <param name="CheckedAt">When it was last read from the shared store, or written there; <see cref="Never"/> when it was not.</param>
internal readonly record struct Pin(string Backend, int CheckedAt)
{
    public const int Never = int.MinValue;
}
