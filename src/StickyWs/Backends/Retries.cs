namespace StickyWs.Backends;

/// <summary>
/// What may be tried on another backend after an attempt failed, for handshakes and plain requests alike, and at once: whether a client is to wait for its
/// own backend instead, its choice says (<see cref="NoBackendReason.Held"/>). Whatever else failed may have been acted on, and is not sent twice.
/// </summary>
internal struct Retries
{
    private bool _wasRepeated;

    /// <summary>Whether the next backend may be tried when no connection came about, and so nothing was sent.</summary>
    /// <param name="isOutOfResources">Whether it was for want of descriptors or memory here, so that no new connection would fare better.</param>
    /// <param name="canUseKept">Whether a connection that is kept to another backend would do.</param>
    public static bool AfterConnect(bool isOutOfResources, bool canUseKept) => !isOutOfResources || canUseKept;

    /// <summary>
    /// Whether one more backend may be asked when one closed the connection without an answer: once, lest a request take one backend after the other down.
    /// </summary>
    /// <param name="isSafe">Whether the request is of a safe method and has no body (RFC 9110 section 9.2.2).</param>
    public bool TryAfterNoAnswer(bool isSafe)
    {
        if (_wasRepeated || !isSafe) return false;
        return _wasRepeated = true;
    }
}
