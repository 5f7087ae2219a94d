namespace StickyWs.Configuration;

/// <summary>What the raw lane's reactors wait with.</summary>
public enum ReactorMode
{
    /// <summary>io_uring where the kernel offers it to this process, else epoll; the log says which, and why.</summary>
    Auto,

    /// <summary>io_uring (io_uring(7)); where the raw lane is on and that cannot be, the start is stopped.</summary>
    IoUring,

    /// <summary>epoll (epoll(7)), which every Linux has.</summary>
    Epoll,
}
