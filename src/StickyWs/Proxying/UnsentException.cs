namespace StickyWs.Proxying;

/// <summary>A connection to a backend was found closed before a byte of the request was sent.</summary>
internal sealed class UnsentException(bool isReused, Exception? inner = null) : IOException("The connection was closed before the request was sent.", inner)
{
    /// <summary>Whether the connection had served before, and so was simply too old; on a new one something is wrong with the backend.</summary>
    public bool IsReused => isReused;
}
