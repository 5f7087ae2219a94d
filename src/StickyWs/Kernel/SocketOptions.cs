namespace StickyWs.Kernel;

/// <summary>Socket options of the raw lane (socket(7), tcp(7)). Failing to set one never ends a connection.</summary>
internal static unsafe class SocketOptions
{
    private const int LongestKeepIdle = 32767;

    /// <summary>Sends small segments at once.</summary>
    public static void SetNoDelay(int fd) => Set(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);

    /// <summary>
    /// Keeps urgent data inline in the stream (RFC 6093 section 5): a multishot receive would not get past the urgent mark. Accepted sockets inherit
    /// the option from their listener.
    /// </summary>
    public static void SetUrgentInline(int fd) => Set(fd, Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);

    /// <summary>Has the kernel say with each <see cref="CountedReceive"/> what is left. Other receives are as before.</summary>
    public static void SetCounted(int fd) => Set(fd, Libc.IPPROTO_TCP, Libc.TCP_INQ, 1);

    /// <summary>For a connect that is followed by data at once: the ACK that ends TCP's handshake then travels with the data.</summary>
    public static void DelayFirstAck(int fd) => Set(fd, Libc.IPPROTO_TCP, Libc.TCP_QUICKACK, 0);

    /// <summary>
    /// Lets the kernel detect vanished peers. Data that stays unacknowledged for this long breaks the connection; an idle connection is probed
    /// (keep-alive), first after half the time.
    /// </summary>
    public static void SetDeadPeerTimeout(int fd, int milliseconds)
    {
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_USER_TIMEOUT, milliseconds);
        Set(fd, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, Math.Clamp(milliseconds / 2000, 1, LongestKeepIdle));
        Set(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPINTVL, Math.Max(1, milliseconds / 8000));
    }

    /// <summary>
    /// Takes the error that broke the connection, which the kernel reports once; <see cref="Errno.EPIPE"/> if the peer had sent its FIN before.
    /// </summary>
    public static Errno TakeError(int fd)
    {
        var error = 0;
        var length = (uint)sizeof(int);
        return Libc.GetOption(fd, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) == 0 ? (Errno)error : Errno.None;
    }

    /// <summary>The number of bytes that the peer has not acknowledged; a FIN counts as one.</summary>
    public static int Unacknowledged(int fd)
    {
        var count = 0;
        return Libc.Control(fd, Libc.SIOCOUTQ, &count) == 0 ? count : 0;
    }

    /// <summary>The number of bytes that the peer has acknowledged so far; 0 if the kernel does not report it.</summary>
    public static long Acknowledged(int fd)
    {
        var info = stackalloc byte[Libc.TcpInfoSize];
        var length = (uint)Libc.TcpInfoSize;
        var isKnown = Libc.GetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_INFO, info, &length) == 0;
        return isKnown && length >= Libc.TcpInfoBytesAcknowledged + sizeof(long) ? *(long*)(info + Libc.TcpInfoBytesAcknowledged) : 0;
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

    /// <summary>Makes the close of a socket reset the connection (RST).</summary>
    public static void ResetOnClose(int fd)
    {
        var linger = stackalloc int[] { 1, 0 };
        _ = Libc.SetOption(fd, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
    }

    private static void Set(int fd, int level, int name, int value) => _ = Libc.SetOption(fd, level, name, &value, sizeof(int));
}
