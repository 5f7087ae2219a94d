namespace StickyWs.Transport;

/// <summary>The owner of a channel.</summary>
internal interface IChannelOwner
{
    /// <summary>
    /// Nothing more will arrive; <see cref="Channel.Failure"/> says why. Called once, on the reactor's thread, which must not be blocked.
    /// </summary>
    void InputEnded();
}
