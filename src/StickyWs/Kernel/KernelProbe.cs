namespace StickyWs.Kernel;

/// <summary>
/// Checks that the kernel has what the raw lane needs, by calling it with an invalid descriptor. A system call that exists and is allowed fails with
/// EBADF; one that is missing or forbidden (an old kernel, a seccomp profile) fails otherwise. A version number would tell neither.
/// </summary>
internal static unsafe class KernelProbe
{
    private const int NoDescriptor = -1;
    private const int F_GETFD = 1;

    /// <summary>The first system call that is refused, or <see langword="null"/>.</summary>
    public static string? FirstRefusal()
        => Ask("accept4", Libc.Accept(NoDescriptor, null, null, Libc.O_NONBLOCK))
            ?? Ask("connect", Libc.Connect(NoDescriptor, null, 0), Libc.SavedError)
            ?? Ask("getsockname", Libc.GetSocketName(NoDescriptor, null, null))
            ?? Ask("recv", Libc.Receive(NoDescriptor, null, 0, Libc.MSG_PEEK | Libc.MSG_DONTWAIT))
            ?? Ask("send", Libc.Send(NoDescriptor, null, 0, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT))
            ?? Ask("shutdown", Libc.Shutdown(NoDescriptor, Libc.SHUT_WR))
            ?? Ask("setsockopt", Libc.SetOption(NoDescriptor, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, null, 0))
            ?? Ask("epoll_ctl", EpollEvents.Control(NoDescriptor, Libc.EPOLL_CTL_ADD, NoDescriptor, EpollEvents.EPOLLIN, 0))
            ?? Ask("epoll_wait", Libc.EpollWait(NoDescriptor, null, 1, 0), Libc.SavedError);

    /// <summary>Whether splice(2) is available; without it bytes are copied.</summary>
    public static bool CanSplice()
        => Ask("splice", Libc.Splice(NoDescriptor, null, NoDescriptor, null, 1, Libc.SPLICE_F_NONBLOCK), Libc.SavedError) is null
            && Ask("fcntl", Libc.FileControl(NoDescriptor, F_GETFD, 0)) is null;

    // The error is read immediately: nothing may come between a call and its errno. EINVAL and EFAULT come from calls that check other arguments
    // first.
    private static string? Ask(string call, nint result) => Ask(call, result, Libc.Error);

    private static string? Ask(string call, nint result, Errno error)
        => result >= 0 || error is Errno.EBADF or Errno.EINVAL or Errno.EFAULT ? null : $"{call}: {error}";
}
