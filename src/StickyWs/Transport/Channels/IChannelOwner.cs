namespace StickyWs.Transport;

/// <summary>Whoever has a channel.</summary>
internal interface IChannelOwner
{
    /// <summary>
    /// Nothing more will arrive, for the reason that is <see cref="Channel.Failure"/>. Told once, on the reactor's thread, which must not be held up.
    /// </summary>
    void InputEnded();
}
