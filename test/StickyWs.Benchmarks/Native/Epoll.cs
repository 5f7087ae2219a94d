using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Native;

/// <summary>A set of descriptors to wait for, level-triggered: what is still ready is reported again.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint Readable = 1;
    public const uint Writable = 4;

    private const int Capacity = 512;
    private const int AddOperation = 1;
    private const int ChangeOperation = 3;
    private const int CloseOnExec = 0x80000;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int KeyOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int Size = KeyOffset + 8;

    private readonly int _file = Kernel.Checked(Libc.EpollCreate(CloseOnExec), "epoll_create1");
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed((nuint)(Capacity * Size));

    public void Add(int file, uint events, int key) => Control(AddOperation, file, events, key);

    public void Change(int file, uint events, int key) => Control(ChangeOperation, file, events, key);

    /// <summary>Waits; how many are ready.</summary>
    /// <param name="limit">After which it gives up with an error: nothing here takes that long. None: forever.</param>
    public int Wait(TimeSpan? limit = null)
    {
        while (true)
        {
            var count = Libc.EpollWait(_file, _events, Capacity, limit is { } time ? (int)time.TotalMilliseconds : -1);
            if (count > 0) return count;
            if (count == 0) throw new TimeoutException("Nothing came back.");
            if (Kernel.Error != Kernel.Interrupted) throw Kernel.Failed("epoll_wait");
        }
    }

    /// <summary>The key of one that is ready.</summary>
    public int Key(int index) => Unsafe.ReadUnaligned<int>(_events + (index * Size) + KeyOffset);

    public void Dispose()
    {
        Libc.Close(_file);
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int file, uint events, int key)
    {
        var change = stackalloc byte[16];
        Unsafe.WriteUnaligned(change, events);
        Unsafe.WriteUnaligned(change + KeyOffset, (long)key);
        Kernel.Checked(Libc.EpollControl(_file, operation, file, change), "epoll_ctl");
    }
}
