namespace StickyWs.Kernel;

/// <summary>A kernel pipe between two sockets (splice(2)), empty whenever it is in the pool.</summary>
internal sealed unsafe class SplicePipe
{
    // 64 slots, each of which takes one fragment of what a network card received; 16 by default.
    private const int Size = 256 * 1024;

    // What one is worth at least. Past the user's share of pages (pipe(7)) a new one has two.
    private const int SmallestSize = 64 * 1024;

    private SplicePipe(int readEnd, int writeEnd, int capacity)
    {
        Capacity = capacity;
        ReadEnd = readEnd;
        WriteEnd = writeEnd;
    }

    /// <summary>The bytes that it holds at most: a page for each of its slots.</summary>
    public int Capacity { get; }

    public int ReadEnd { get; }

    public int WriteEnd { get; }

    /// <summary>A new pipe, or <see langword="null"/> when the system has none to give.</summary>
    public static SplicePipe? TryCreate()
    {
        var fds = stackalloc int[2];
        if (Libc.Pipe(fds, Libc.O_NONBLOCK | Libc.O_CLOEXEC) < 0) return null;
        _ = Libc.FileControl(fds[1], Libc.F_SETPIPE_SZ, Size); // Refused past the user's share.
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
