namespace StickyWs.Backends;

/// <summary>
/// What may be tried on another backend after a failed attempt, for handshakes and plain requests alike, without delay. Whether a client must wait
/// for its own backend instead is up to its choice (<see cref="NoBackendReason.Held"/>). Anything that may have been processed is not sent twice.
/// </summary>
internal struct Retries
{
    private bool _wasRepeated;

    /// <summary>Whether the next backend may be tried after a failed connect, when nothing was sent.</summary>
    /// <param name="isOutOfResources">Whether it failed for lack of local descriptors or memory, so that no new connection would fare better.</param>
    /// <param name="canUseKept">Whether a kept connection to another backend can be used.</param>
    public static bool AfterConnect(bool isOutOfResources, bool canUseKept) => !isOutOfResources || canUseKept;

    /// <summary>
    /// Whether another backend may be tried after one closed the connection without a response: once, so that a request cannot take down one backend
    /// after the other.
    /// </summary>
    /// <param name="isSafe">Whether the request is of a safe method and has no body (RFC 9110 section 9.2.2).</param>
    public bool TryAfterNoAnswer(bool isSafe)
    {
        if (_wasRepeated || !isSafe) return false;
        return _wasRepeated = true;
    }
}
