namespace StickyWs.Kernel;

/// <summary>A kernel pipe between two sockets (splice(2)). Always empty while it is in the pool.</summary>
internal sealed unsafe class SplicePipe
{
    // 64 slots of one received fragment each; the kernel's default is 16.
    private const int Size = 256 * 1024;

    // Below this a pipe is not worth using. Beyond the user's page quota (pipe(7)) a new pipe has two slots.
    private const int SmallestSize = 64 * 1024;

    private SplicePipe(int readEnd, int writeEnd, int capacity)
    {
        Capacity = capacity;
        ReadEnd = readEnd;
        WriteEnd = writeEnd;
    }

    /// <summary>The most bytes that it holds: one page per slot.</summary>
    public int Capacity { get; }

    public int ReadEnd { get; }

    public int WriteEnd { get; }

    /// <summary>A new pipe, or <see langword="null"/> if the system has none to give.</summary>
    public static SplicePipe? TryCreate()
    {
        var fds = stackalloc int[2];
        if (Libc.Pipe(fds, Libc.O_NONBLOCK | Libc.O_CLOEXEC) < 0) return null;
        _ = Libc.FileControl(fds[1], Libc.F_SETPIPE_SZ, Size); // Refused beyond the user's quota.
        var pipe = new SplicePipe(fds[0], fds[1], Libc.FileControl(fds[1], Libc.F_GETPIPE_SZ, 0));
        if (pipe.Capacity >= SmallestSize) return pipe;
        pipe.Close();
        return null;
    }

    public void Close()
    {
        _ = Libc.Close(ReadEnd);
        _ = Libc.Close(WriteEnd);
    }
}
