using StickyWs.Kernel;

namespace StickyWs.Transport;

/// <summary>
/// The feature of a raw-transport connection that queries its socket directly. <c>IConnectionSocketFeature.Socket</c> would duplicate the descriptor
/// for as long as the connection lasts.
/// </summary>
internal interface IRawSocketFeature
{
    /// <inheritdoc cref="Channel.HasPeerFinished"/>
    bool HasPeerFinished { get; }

    /// <inheritdoc cref="Channel.Available"/>
    int Available { get; }

    /// <inheritdoc cref="Channel.HasUnsent"/>
    bool HasUnsent { get; }

    /// <inheritdoc cref="Channel.GetOption"/>
    int GetOption(int level, int name, Span<byte> value);

    /// <inheritdoc cref="SocketOptions.SetDeadPeerTimeout"/>
    void SetDeadPeerTimeout(TimeSpan time);
}
