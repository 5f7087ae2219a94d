namespace StickyWs.Reactors;

/// <summary>A kernel pipe between two sockets (splice(2)), empty whenever it is in the pool.</summary>
internal sealed unsafe class SplicePipe
{
    // 64 slots, each of which takes one fragment of what a network card received; 16 by default.
    private const int Size = 256 * 1024;

    private SplicePipe(int readEnd, int writeEnd)
    {
        ReadEnd = readEnd;
        WriteEnd = writeEnd;
    }

    public int ReadEnd { get; }

    public int WriteEnd { get; }

    /// <summary>A new pipe, or <see langword="null"/> when the system has none to give.</summary>
    public static SplicePipe? TryCreate()
    {
        var fds = stackalloc int[2];
        if (Libc.Pipe(fds, Libc.NonBlocking | Libc.CloseOnExec) < 0) return null;
        _ = Libc.FileControl(fds[1], Libc.SetPipeSize, Size); // Refused past the user's share (pipe(7)); a small pipe works as well.
        return new SplicePipe(fds[0], fds[1]);
    }

    public void Close()
    {
        _ = Libc.Close(ReadEnd);
        _ = Libc.Close(WriteEnd);
    }
}
