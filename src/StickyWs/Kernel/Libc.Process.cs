using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

// Limits and files of the process.
internal static unsafe partial class Libc
{
    /// <summary><c>RLIMIT_NOFILE</c> (getrlimit(2)).</summary>
    public const int RLIMIT_NOFILE = 7;

    /// <summary><c>AT_FDCWD</c> (openat(2)).</summary>
    public const int AT_FDCWD = -100;

    /// <summary><c>STATX_SIZE</c> (statx(2)).</summary>
    public const uint STATX_SIZE = 0x200;

    /// <param name="resource">Which limit.</param>
    /// <param name="limits">Receives the soft limit, then the hard limit.</param>
    [LibraryImport(C, EntryPoint = "getrlimit")]
    [SuppressGCTransition]
    public static partial int GetResourceLimit(int resource, nuint* limits);

    /// <summary>Adds to the niceness of the calling thread, as Linux has it. Threads that it starts inherit it.</summary>
    /// <returns>The new one, or -1 where it is not allowed.</returns>
    [LibraryImport(C, EntryPoint = "nice")]
    public static partial int Nice(int increment);

    [LibraryImport(C, EntryPoint = "statx")]
    public static partial int Stat(int directory, byte* path, int flags, uint mask, void* result);
}
