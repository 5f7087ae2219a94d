namespace StickyWs.Reactors;

/// <summary>
/// The seam between the kernel and the relay, or whoever else has a socket: what has happened to a streaming socket, told on the reactor's thread. Nobody here hears of readiness, so that a
/// reactor whose kernel interface completes operations by itself (io_uring) serves as well as one that has to try (epoll).
/// A socket may be closed from within any of these calls.
/// </summary>
internal interface ICompletions
{
    /// <summary>These bytes arrived. They are the reactor's buffer, good until the call returns.</summary>
    void Received(int socket, ReadOnlySpan<byte> bytes);

    /// <summary>So many bytes went from this socket to the one that it is spliced to, unseen.</summary>
    void Spliced(int socket, int count);

    /// <summary>The peer has said that it will send no more (FIN), and all that it sent was received.</summary>
    void Finished(int socket);

    /// <summary>What could not be sent at once is with the kernel now: there is room again.</summary>
    void Sent(int socket);

    /// <summary>The connection broke; what had arrived before was received.</summary>
    void Broken(int socket, Errno error);

    /// <summary>The connection broke while it was paused; what had arrived before may still be received.</summary>
    void BrokenWhilePaused(int socket);

    /// <summary>A defect, or the reactor's end: the socket is to be closed.</summary>
    void Fail(int socket);
}
