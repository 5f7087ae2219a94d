namespace StickyWs.Kernel;

/// <summary>The number of open descriptors of the process, and its limit. Linux only.</summary>
internal static unsafe class OpenDescriptors
{
    private const string Folder = "/proc/self/fd";
    private const int StatSize = 256;
    private const int SizeOffset = 40;

    private static volatile bool _cannotAsk;

    /// <summary>The soft limit (<c>RLIMIT_NOFILE</c>): descriptors are always below it.</summary>
    public static int Limit
    {
        get
        {
            var limits = stackalloc nuint[2];
            return Libc.GetResourceLimit(Libc.RLIMIT_NOFILE, limits) == 0 ? (int)nuint.Min(limits[0], int.MaxValue) : int.MaxValue;
        }
    }

    /// <summary>
    /// Linux 6.2 and later report the number as the size of <c>/proc/self/fd</c> (stat(2)); on older kernels the directory is enumerated.
    /// </summary>
    public static int Count()
    {
        if (!_cannotAsk && Ask() is var count and > 0) return count;
        _cannotAsk = true;
        try
        {
            return Directory.EnumerateFileSystemEntries(Folder).Count() - 1; // The enumeration itself holds one.
        }
        catch (DirectoryNotFoundException)
        {
            return LowestFree();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Limit; // No descriptor is left for the enumeration.
        }
    }

    private static int Ask()
    {
        var result = stackalloc byte[StatSize];
        try
        {
            fixed (byte* path = "/proc/self/fd\0"u8)
            {
                return Libc.Stat(Libc.AT_FDCWD, path, 0, Libc.STATX_SIZE, result) == 0 ? (int)*(ulong*)(result + SizeOffset) : 0;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return 0; // An old C library.
        }
    }

    // Without /proc: assume that all descriptors below the lowest free one are in use.
    private static int LowestFree()
    {
        var fd = Libc.EventFd(0, Libc.O_CLOEXEC);
        if (fd < 0) return Limit;
        _ = Libc.Close(fd);
        return fd;
    }
}
