using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>
/// The seam between the kernel and the owner of a streaming socket (a relay, a channel). All calls come on the reactor's thread. Handlers see
/// completions, never readiness: so a reactor can complete operations in the kernel (io_uring) or emulate that by trying (epoll). A handler may close
/// a socket from within any of these calls.
/// </summary>
internal interface IStreamHandler
{
    /// <summary>
    /// Bytes arrived. Read them here, or forward them to another socket (<see cref="Reactor.Forward"/>): they are gone when the call returns.
    /// </summary>
    void Received(int socket, in Piece piece);

    /// <summary>This many bytes were spliced, unseen, from this socket to its target (<see cref="Reactor.Splice"/>).</summary>
    void Spliced(int socket, int count);

    /// <summary>The peer has sent its FIN. All its bytes were received, and those that were forwarded are with the kernel.</summary>
    void Finished(int socket);

    /// <summary>The peer accepts no more for now. What was sent to it is kept; do not send more until <see cref="Sent"/>.</summary>
    void Stalled(int socket);

    /// <summary>All kept bytes are with the kernel now: there is room again.</summary>
    void Sent(int socket);

    /// <summary>The connection broke. Everything that arrived before was received.</summary>
    void Broken(int socket, Errno error);

    /// <summary>The connection broke while it was paused. What arrived before can still be received.</summary>
    void BrokenWhilePaused(int socket);

    /// <summary>A defect, or the reactor's end: close the socket.</summary>
    void Fail(int socket);
}
