namespace StickyWs.Pinning;

/// <summary>A pin as the process remembers it. Times are seconds of <see cref="PinClock"/>.</summary>
/// <param name="Backend">The backend's name.</param>
/// <param name="CheckedAt">When it was last read from the shared store, or written there; <see cref="Never"/> when it was not.</param>
/// <param name="SavedAt">When it was last written to the shared store, as far as this process knows: reading it there does not make it live longer.</param>
internal readonly record struct Pin(string Backend, int CheckedAt, int SavedAt)
{
    public const int Never = int.MinValue;

    /// <summary>A pin that the shared store does not have.</summary>
    public Pin(string backend)
        : this(backend, Never, Never)
    {
    }
}
