namespace StickyWs.Transport;

/// <summary>Whoever has a channel.</summary>
internal interface IChannelOwner
{
    /// <summary>Nothing more will arrive. Told once, on the reactor's thread, which must not be held up.</summary>
    /// <param name="reason"><see langword="null"/> when the peer has finished; else why the connection broke, or was closed.</param>
    void InputEnded(Exception? reason);
}
