using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// The raw lane's system calls (man pages, section 2), through the installed C library: the runtime resolves this name to glibc and to musl.
/// Calls that return at once skip the GC transition; read their error immediately from <see cref="Error"/>. Calls that may block make the transition,
/// and the runtime saves their error (<see cref="SavedError"/>). All flags have the same values on x64 and arm64.
/// </summary>
internal static unsafe partial class Libc
{
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int SOCK_STREAM = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int IPPROTO_TCP = 6;

    public const int MSG_PEEK = 0x2;
    public const int MSG_TRUNC = 0x20;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_WAITALL = 0x100;
    public const int MSG_NOSIGNAL = 0x4000;

    public const int SHUT_RD = 0;
    public const int SHUT_WR = 1;

    public const int SOL_SOCKET = 1;
    public const int SO_ERROR = 4;
    public const int SO_KEEPALIVE = 9;
    public const int SO_LINGER = 13;
    public const int TCP_NODELAY = 1;
    public const int TCP_KEEPIDLE = 4;
    public const int TCP_KEEPINTVL = 5;
    public const int TCP_QUICKACK = 12;
    public const int TCP_USER_TIMEOUT = 18;
    public const int TCP_INQ = 36;

    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const int EPOLL_CTL_MOD = 3;

    public const uint SPLICE_F_MOVE = 1;
    public const uint SPLICE_F_NONBLOCK = 2;

    public const int MADV_DONTDUMP = 16;

    public const int F_DUPFD_CLOEXEC = 1030;
    public const int F_SETPIPE_SZ = 1031;
    public const int F_GETPIPE_SZ = 1032;

    public const nuint SIOCINQ = 0x541B;
    public const nuint SIOCOUTQ = 0x5411;

    /// <summary>
    /// See tcp(7). The offset is that of <c>tcpi_bytes_acked</c> in <c>struct tcp_info</c>, which grows only at its end.
    /// </summary>
    public const int TCP_INFO = 11;
    public const int TcpInfoBytesAcknowledged = 120;
    public const int TcpInfoSize = 148;

    private const string C = "libc";

    /// <summary>The error of the last call without a GC transition.</summary>
    public static Errno Error => (Errno)Marshal.GetLastSystemError();

    /// <summary>The error of the last call with a GC transition.</summary>
    public static Errno SavedError => (Errno)Marshal.GetLastPInvokeError();

    [LibraryImport(C, EntryPoint = "socket")]
    [SuppressGCTransition]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(C, EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int fd, void* address, uint length);

    [LibraryImport(C, EntryPoint = "accept4")]
    [SuppressGCTransition]
    public static partial int Accept(int fd, void* address, uint* length, int flags);

    [LibraryImport(C, EntryPoint = "getsockname")]
    [SuppressGCTransition]
    public static partial int GetSocketName(int fd, void* address, uint* length);

    [LibraryImport(C, EntryPoint = "getpeername")]
    [SuppressGCTransition]
    public static partial int GetPeerName(int fd, void* address, uint* length);

    [LibraryImport(C, EntryPoint = "recv")]
    [SuppressGCTransition]
    public static partial nint Receive(int fd, void* buffer, nuint length, int flags);

    [LibraryImport(C, EntryPoint = "send")]
    [SuppressGCTransition]
    public static partial nint Send(int fd, void* buffer, nuint length, int flags);

    /// <param name="fd">The socket.</param>
    /// <param name="message">A <see cref="MessageHeader"/>.</param>
    /// <param name="flags">As for <see cref="Send"/>.</param>
    [LibraryImport(C, EntryPoint = "sendmsg")]
    [SuppressGCTransition]
    public static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    /// <param name="fd">The socket.</param>
    /// <param name="message">A <see cref="MessageHeader"/>.</param>
    /// <param name="flags">As for <see cref="Receive"/>.</param>
    [LibraryImport(C, EntryPoint = "recvmsg")]
    [SuppressGCTransition]
    public static partial nint ReceiveMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport(C, EntryPoint = "shutdown")]
    [SuppressGCTransition]
    public static partial int Shutdown(int fd, int how);

    [LibraryImport(C, EntryPoint = "getsockopt")]
    [SuppressGCTransition]
    public static partial int GetOption(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(C, EntryPoint = "ioctl")]
    [SuppressGCTransition]
    public static partial int Control(int fd, nuint request, void* argument);

    [LibraryImport(C, EntryPoint = "setsockopt")]
    [SuppressGCTransition]
    public static partial int SetOption(int fd, int level, int name, void* value, uint length);

    /// <summary>Blocks only if SO_LINGER is set with a non-zero time, which never happens here.</summary>
    [LibraryImport(C, EntryPoint = "close")]
    [SuppressGCTransition]
    public static partial int Close(int fd);

    [LibraryImport(C, EntryPoint = "splice", SetLastError = true)]
    public static partial nint Splice(int from, long* fromOffset, int to, long* toOffset, nuint length, uint flags);

    [LibraryImport(C, EntryPoint = "pipe2")]
    [SuppressGCTransition]
    public static partial int Pipe(int* fds, int flags);

    [LibraryImport(C, EntryPoint = "fcntl")]
    [SuppressGCTransition]
    public static partial int FileControl(int fd, int command, nint argument);

    [LibraryImport(C, EntryPoint = "epoll_create1")]
    [SuppressGCTransition]
    public static partial int EpollCreate(int flags);

    [LibraryImport(C, EntryPoint = "epoll_ctl")]
    [SuppressGCTransition]
    public static partial int EpollControl(int epoll, int operation, int fd, void* theEvent);

    /// <summary>The only call that waits.</summary>
    [LibraryImport(C, EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int count, int milliseconds);

    [LibraryImport(C, EntryPoint = "eventfd")]
    [SuppressGCTransition]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport(C, EntryPoint = "read")]
    [SuppressGCTransition]
    public static partial nint Read(int fd, void* buffer, nuint length);

    [LibraryImport(C, EntryPoint = "write")]
    [SuppressGCTransition]
    public static partial nint Write(int fd, void* buffer, nuint length);
}
