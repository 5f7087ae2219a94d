using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>
/// The seam between the kernel and whoever has a streaming socket: the relay, a channel, and whatever else is to come; all are of equal standing.
/// What has happened to the socket is told on the reactor's thread. Nobody here hears of readiness, so that a reactor whose kernel interface
/// completes operations by itself (io_uring) serves as well as one that has to try (epoll). A socket may be closed from within any of these calls.
/// </summary>
internal interface IStreamHandler
{
    /// <summary>
    /// Bytes arrived. They may be read here, or forwarded to another socket (<see cref="Reactor.Forward"/>); they are gone when the call returns.
    /// </summary>
    void Received(int socket, in Piece piece);

    /// <summary>So many bytes went unseen from this socket to the one that it is spliced to (<see cref="Reactor.Splice"/>).</summary>
    void Spliced(int socket, int count);

    /// <summary>The peer has said that it will send no more (FIN), and all that it sent was received; what was forwarded of it is with the kernel.</summary>
    void Finished(int socket);

    /// <summary>The peer takes no more now. What was sent to it is kept; nothing more should be until <see cref="Sent"/>.</summary>
    void Stalled(int socket);

    /// <summary>What could not be sent at once is with the kernel now: there is room again.</summary>
    void Sent(int socket);

    /// <summary>The connection broke; what had arrived before was received.</summary>
    void Broken(int socket, Errno error);

    /// <summary>The connection broke while it was paused; what had arrived before may still be received.</summary>
    void BrokenWhilePaused(int socket);

    /// <summary>A defect, or the reactor's end: the socket is to be closed.</summary>
    void Fail(int socket);
}
