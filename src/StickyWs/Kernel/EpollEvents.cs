using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// The kernel's array of <c>struct epoll_event</c> (epoll_ctl(2)): 32 bits of flags and 64 bits of user data. It is packed on x64 and aligned
/// elsewhere, so it cannot be a C# struct.
/// </summary>
internal static unsafe class EpollEvents
{
    public const uint EPOLLIN = 0x1;
    public const uint EPOLLPRI = 0x2;
    public const uint EPOLLOUT = 0x4;
    public const uint EPOLLERR = 0x8;
    public const uint EPOLLHUP = 0x10;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 1u << 31;

    /// <summary>Any sign that the stream is ending: keep receiving until a receive reports how.</summary>
    public const uint Ending = EPOLLERR | EPOLLHUP | EPOLLRDHUP;

    public static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    public static uint Flags(byte* events, int index) => Unsafe.ReadUnaligned<uint>(events + ((nint)index * Size));

    public static ulong Data(byte* events, int index) => Unsafe.ReadUnaligned<ulong>(events + ((nint)index * Size) + Size - sizeof(ulong));

    /// <summary>Adds a descriptor, or changes what it is watched for.</summary>
    public static int Control(int epoll, int operation, int fd, uint flags, ulong data)
    {
        var one = stackalloc byte[16];
        Unsafe.WriteUnaligned(one, flags);
        Unsafe.WriteUnaligned(one + Size - sizeof(ulong), data);
        return Libc.EpollControl(epoll, operation, fd, one);
    }
}
