namespace StickyWs.Pinning;

/// <summary>A pin as this process remembers it. Times are in seconds of <see cref="PinClock"/>.</summary>
/// <param name="Backend">The backend's name.</param>
/// <param name="CheckedAt">When it was last read from or written to the shared store; <see cref="Never"/> if it was not.</param>
/// <param name="SavedAt">When this process last knew it to be written to the shared store. Reading it there does not prolong its life.</param>
internal readonly record struct Pin(string Backend, int CheckedAt, int SavedAt)
{
    public const int Never = int.MinValue;

    /// <summary>A pin that the shared store does not have.</summary>
    public Pin(string backend)
        : this(backend, Never, Never)
    {
    }
}
