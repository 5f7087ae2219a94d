using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

// The C library has no wrappers for io_uring. The three system calls go by number, which is the same on x64 and arm64.
internal static unsafe partial class Libc
{
    public const int SO_OOBINLINE = 10;

    private const nint SetUpNumber = 425;
    private const nint EnterNumber = 426;
    private const nint RegisterNumber = 427;

    private const int ReadAndWrite = 1 | 2;
    private const int SharedAndPopulated = 0x1 | 0x8000;
    private const int PrivateAndAnonymous = 0x2 | 0x20;

    /// <summary>io_uring_setup(2): returns the ring's descriptor, or -1.</summary>
    public static int UringSetUp(uint entries, UringParameters* parameters)
        => (int)SystemCall(SetUpNumber, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <summary>io_uring_register(2).</summary>
    public static int UringRegister(int ring, uint operation, void* argument, uint count)
        => (int)SystemCall(RegisterNumber, ring, (nint)operation, (nint)argument, (nint)count, 0, 0);

    /// <summary>io_uring_enter(2): submits and waits. Returns the number of submissions, or -1.</summary>
    public static int UringEnter(int ring, uint submissions, uint completions, uint flags, void* argument, nuint size)
        => (int)SystemCall(EnterNumber, ring, (nint)submissions, (nint)completions, (nint)flags, (nint)argument, (nint)size);

    /// <summary>Maps memory that a ring shares with the kernel.</summary>
    public static byte* MapShared(nuint size, int fd, long offset) => Map(null, size, ReadAndWrite, SharedAndPopulated, fd, offset);

    /// <summary>Maps zeroed whole pages, which cost nothing until they are touched.</summary>
    public static byte* MapPrivate(nuint size) => Map(null, size, ReadAndWrite, PrivateAndAnonymous, -1, 0);

    [LibraryImport(C, EntryPoint = "munmap")]
    public static partial int Unmap(void* start, nuint size);

    /// <summary>See madvise(2); <c>MADV_DONTDUMP</c> keeps the pages out of core dumps.</summary>
    [LibraryImport(C, EntryPoint = "madvise")]
    public static partial int AdviseMemory(void* start, nuint size, int advice);

    [LibraryImport(C, EntryPoint = "socketpair")]
    public static partial int SocketPair(int family, int type, int protocol, int* fds);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);

    [LibraryImport(C, EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nuint size, int protection, int flags, int fd, long offset);
}
