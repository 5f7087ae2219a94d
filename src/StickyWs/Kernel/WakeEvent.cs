namespace StickyWs.Kernel;

/// <summary>Ends a reactor's wait from another thread: an <c>eventfd(2)</c> that the reactor polls along with its sockets.</summary>
internal sealed unsafe class WakeEvent
{
    /// <exception cref="IOException">The kernel refuses.</exception>
    public WakeEvent()
    {
        Fd = Libc.EventFd(0, Libc.O_CLOEXEC | Libc.O_NONBLOCK);
        if (Fd < 0) throw Libc.Error.ToIOException("eventfd");
    }

    public int Fd { get; }

    public void Set()
    {
        ulong one = 1;
        _ = Libc.Write(Fd, &one, sizeof(ulong));
    }

    public void Close() => _ = Libc.Close(Fd);
}
