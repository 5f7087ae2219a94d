namespace StickyWs.Proxying;

/// <summary>A request would have to be sent once more, but its body, or a part of it, is gone.</summary>
internal sealed class NotRepeatableException() : InvalidOperationException("The request was sent before and cannot be sent twice.");
