namespace StickyWs.Configuration;

/// <summary>The kernel interface that the raw lane's reactors wait on.</summary>
public enum ReactorMode
{
    /// <summary>io_uring if the kernel offers it to this process, otherwise epoll; the log says which, and why.</summary>
    Auto,

    /// <summary>io_uring (io_uring(7)); if the raw lane is on and io_uring is not available, the application fails to start.</summary>
    IoUring,

    /// <summary>epoll (epoll(7)), available on every Linux.</summary>
    Epoll,
}
