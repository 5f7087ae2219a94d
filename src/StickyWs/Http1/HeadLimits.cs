namespace StickyWs.Http1;

/// <summary>The caps of a request head. None may be above Kestrel's own, lest we accept what Kestrel refuses.</summary>
/// <param name="MaxHeadBytes">The whole head with its empty line.</param>
/// <param name="MaxRequestLineBytes">The request line with its line end.</param>
/// <param name="MaxHeaders">Header lines.</param>
internal sealed record HeadLimits(int MaxHeadBytes, int MaxRequestLineBytes, int MaxHeaders)
{
    /// <summary>Kestrel's defaults: 32 KiB, 8 KiB, 100 headers.</summary>
    public static HeadLimits Default { get; } = new(32 * 1024, 8 * 1024, 100);
}
