namespace StickyWs.Kernel;

/// <summary>How many descriptors the process has open, and how many it may have. On Linux.</summary>
internal static unsafe class OpenDescriptors
{
    private const string Folder = "/proc/self/fd";
    private const int StatSize = 256;
    private const int SizeOffset = 40;

    private static volatile bool _cannotAsk;

    /// <summary>The limit in force (<c>RLIMIT_NOFILE</c>, soft): numbers from it on are not given out.</summary>
    public static int Limit
    {
        get
        {
            var limits = stackalloc nuint[2];
            return Libc.GetResourceLimit(Libc.RLIMIT_NOFILE, limits) == 0 ? (int)nuint.Min(limits[0], int.MaxValue) : int.MaxValue;
        }
    }

    /// <summary>
    /// Asks the kernel, which answers with a number since Linux 6.2 (stat(2) of <c>/proc/self/fd</c>); before that all of them are gone through.
    /// </summary>
    public static int Count()
    {
        if (!_cannotAsk && Ask() is var count and > 0) return count;
        _cannotAsk = true;
        try
        {
            return Directory.EnumerateFileSystemEntries(Folder).Count() - 1; // The one that lists them is among them.
        }
        catch (DirectoryNotFoundException)
        {
            return LowestFree();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Limit; // There is none left to list them with.
        }
    }

    private static int Ask()
    {
        var result = stackalloc byte[StatSize];
        try
        {
            fixed (byte* path = "/proc/self/fd\0"u8) return Libc.Stat(Libc.AT_FDCWD, path, 0, Libc.STATX_SIZE, result) == 0 ? (int)*(ulong*)(result + SizeOffset) : 0;
        }
        catch (EntryPointNotFoundException)
        {
            return 0; // An old C library.
        }
    }

    // Without /proc: all numbers below the next one are in use.
    private static int LowestFree()
    {
        var fd = Libc.EventFd(0, Libc.O_CLOEXEC);
        if (fd < 0) return Limit;
        _ = Libc.Close(fd);
        return fd;
    }
}
