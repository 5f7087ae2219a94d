namespace StickyWs.Backends;

/// <summary>What a backend is told of a client that has a pin, so that it can load the client's state.</summary>
/// <param name="Pin">
/// Who the client is, for <c>StickyWs-Pin</c>: the same for as long as it is known; <see langword="null"/> for a client without a pin.
/// </param>
/// <param name="MovedFrom">The name of the backend that had it before, for <c>StickyWs-Moved-From</c>; <see langword="null"/> when it was not moved.</param>
internal readonly record struct PinNotice(string? Pin, string? MovedFrom)
{
    public const string PinHeader = "StickyWs-Pin";
    public const string MovedFromHeader = "StickyWs-Moved-From";

    /// <summary>Says it by the headers of a request; <see langword="null"/> is the value of one that it is not to have.</summary>
    public void SetOn<T>(T request, Action<T, string, string?> set)
    {
        set(request, PinHeader, Pin);
        set(request, MovedFromHeader, MovedFrom);
    }
}
