namespace StickyWs.Kernel;

/// <summary>Socket options of the raw lane (socket(7), tcp(7)). That one cannot be set is never a reason to give a connection up.</summary>
internal static unsafe class SocketOptions
{
    private const int LongestKeepIdle = 32767;

    /// <summary>Sends small pieces at once.</summary>
    public static void SetNoDelay(int fd) => Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);

    /// <summary>
    /// Leaves urgent data where it is in the stream (RFC 6093 section 5): a receive that goes on by itself would not come past its mark. A socket
    /// that is accepted inherits this from its listener.
    /// </summary>
    public static void SetUrgentInline(int fd) => Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);

    /// <summary>Before a connect behind which bytes follow at once: the last packet of TCP's own handshake then travels with them.</summary>
    public static void DelayFirstAck(int fd) => Set(fd, Libc.IPPROTO_TCP, Libc.TCP_QUICKACK, 0);

    /// <summary>
    /// Has the kernel find out that a peer is gone without a word: what it does not acknowledge within the time breaks the connection, and while nothing is
    /// sent the kernel asks (keep-alive), first after half the time.
    /// </summary>
    public static void SetDeadPeerTimeout(int fd, int milliseconds)
    {
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_USER_TIMEOUT, milliseconds);
        Set(fd, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, Math.Clamp(milliseconds / 2000, 1, LongestKeepIdle));
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPINTVL, Math.Max(1, milliseconds / 8000));
    }

    /// <summary>
    /// Takes the error that broke the connection, which the kernel tells once; <see cref="Errno.EPIPE"/> where the peer had finished before (FIN).
    /// </summary>
    public static Errno TakeError(int fd)
    {
        var error = 0;
        var length = (uint)sizeof(int);
        return Libc.GetOption(fd, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) == 0 ? (Errno)error : Errno.None;
    }

    /// <summary>How many bytes the peer has not acknowledged; a FIN counts as one.</summary>
    public static int Unacknowledged(int fd)
    {
        var count = 0;
        return Libc.Control(fd, Libc.SIOCOUTQ, &count) == 0 ? count : 0;
    }

    /// <summary>How many bytes the peer has acknowledged so far; 0 where the kernel does not tell.</summary>
    public static long Acknowledged(int fd)
    {
        var info = stackalloc byte[Libc.TcpInfoSize];
        var length = (uint)Libc.TcpInfoSize;
        return Libc.GetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_INFO, info, &length) == 0 && length >= Libc.TcpInfoBytesAcknowledged + sizeof(long) ? *(long*)(info + Libc.TcpInfoBytesAcknowledged) : 0;
    }

    /// <summary>Its own address; <see langword="null"/> where the kernel has none any more.</summary>
    public static RawAddress? LocalAddress(int fd)
    {
        RawAddress address;
        var length = (uint)RawAddress.MaxLength;
        return Libc.GetSocketName(fd, &address, &length) == 0 ? address : null;
    }

    /// <summary>Its peer's address; <see langword="null"/> once the connection is broken.</summary>
    public static RawAddress? RemoteAddress(int fd)
    {
        RawAddress address;
        var length = (uint)RawAddress.MaxLength;
        return Libc.GetPeerName(fd, &address, &length) == 0 ? address : null;
    }

    /// <summary>Closes a socket: in order, or so that its peer sees that the connection broke (RST).</summary>
    public static void Close(int fd, bool isReset)
    {
        if (isReset) ResetOnClose(fd);
        _ = Libc.Close(fd);
    }

    /// <summary>Has the close of a socket break the connection (RST).</summary>
    public static void ResetOnClose(int fd)
    {
        var linger = stackalloc int[] { 1, 0 };
        _ = Libc.SetOption(fd, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
    }

    private static void Set(int fd, int level, int name, int value) => _ = Libc.SetOption(fd, level, name, &value, sizeof(int));
}
