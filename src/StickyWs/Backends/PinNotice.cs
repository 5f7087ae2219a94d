namespace StickyWs.Backends;

/// <summary>What a backend is told about a client that has a pin, so that it can load the client's state.</summary>
/// <param name="Pin">
/// The client's identity, for <c>StickyWs-Pin</c>: the same for as long as it is known; <see langword="null"/> for a client without a pin.
/// </param>
/// <param name="MovedFrom">The name of the backend that had it before, for <c>StickyWs-Moved-From</c>; <see langword="null"/> if it was not moved.</param>
internal readonly record struct PinNotice(string? Pin, string? MovedFrom)
{
    public const string PinHeader = "StickyWs-Pin";
    public const string MovedFromHeader = "StickyWs-Moved-From";

    /// <summary>Sets the headers on a request; <see langword="null"/> removes a header.</summary>
    public void SetOn<T>(T request, Action<T, string, string?> set)
    {
        set(request, PinHeader, Pin);
        set(request, MovedFromHeader, MovedFrom);
    }
}
