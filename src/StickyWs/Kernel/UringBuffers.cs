using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// The buffers that a ring receives into (io_uring_register(2), <c>IORING_REGISTER_PBUF_RING</c>). The kernel takes one only when bytes arrive, so a
/// thousand idle sockets need none. Each buffer is either with the kernel, or filled and queued for sending in a chain of pieces. Further buffers of
/// the same size, which the kernel never gets, hold what handlers write after such pieces.
/// </summary>
internal sealed unsafe class UringBuffers
{
    public const ushort Group = 0;

    private const uint IORING_REGISTER_PBUF_RING = 22;
    private const int EntrySize = 16;
    private const int TailOffset = 14;
    private const int MostOwn = 4; // For each that the kernel gets.

    private readonly byte* _entries;
    private readonly byte* _bytes;
    private readonly nuint _entriesSize;
    private readonly List<nint> _own = [];
    private readonly Stack<int> _freeOwn = new();
    private Filled[] _filled;
    private ushort _tail;

    /// <param name="ring">The ring that receives into them.</param>
    /// <param name="count">How many: a power of two, at most 32,768.</param>
    /// <param name="size">Bytes per buffer.</param>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public UringBuffers(Uring ring, int count, int size)
    {
        (Count, Size) = (count, size);
        _filled = new Filled[count];
        _entriesSize = (nuint)(count * EntrySize);
        _entries = Libc.MapPrivate(_entriesSize);
        _bytes = Libc.MapPrivate((nuint)count * (nuint)size);
        if ((nint)_entries == -1 || (nint)_bytes == -1)
        {
            Dispose();
            throw new IOException($"mmap: no room for {count} buffers of {size} bytes");
        }

        var registration = stackalloc ulong[5];
        registration[0] = (ulong)_entries;
        registration[1] = (uint)count | ((ulong)Group << 32);
        try
        {
            ring.Register(IORING_REGISTER_PBUF_RING, registration, 1);
        }
        catch
        {
            Dispose();
            throw;
        }

        for (var i = 0; i < count; i++) GiveBack((ushort)i);
    }

    public int Count { get; }

    /// <summary>Bytes per buffer.</summary>
    public int Size { get; }

    /// <summary>The number that is with the kernel, or in completions not yet taken.</summary>
    public int Free { get; private set; }

    /// <summary>The number that holds bytes, received or written.</summary>
    public int InUse => Count - Free + OwnInUse;

    /// <summary>
    /// Whether so many hold written bytes that what can be sent at once should be. Each holds little, and they are kept: a few bytes for all sockets at the
    /// same time, such as pings, must not take one for each.
    /// </summary>
    public bool IsCrowded => OwnInUse >= MostOwn * Count;

    private int OwnInUse => _own.Count - _freeOwn.Count;

    public byte* Start(int buffer) => buffer < Count ? _bytes + ((nuint)buffer * (nuint)Size) : (byte*)_own[buffer - Count];

    /// <summary>The content of a taken buffer, and its successor in the chain.</summary>
    public ref Filled this[int buffer] => ref _filled[buffer];

    /// <summary>Notes that the kernel has filled a buffer.</summary>
    public ReadOnlySpan<byte> Take(int buffer, int length)
    {
        Free--;
        _filled[buffer] = new Filled { Length = length };
        return new ReadOnlySpan<byte>(Start(buffer), length);
    }

    /// <summary>Copies at most one buffer's worth of bytes into a buffer that the kernel never gets.</summary>
    /// <exception cref="InvalidOperationException">There are 65,536 buffers: a handler writes although it was told that there is no room.</exception>
    public int TakeOwn(ReadOnlySpan<byte> bytes)
    {
        if (!_freeOwn.TryPop(out var buffer)) buffer = AddOwn();
        _filled[buffer] = new Filled { Length = bytes.Length };
        bytes.CopyTo(new Span<byte>(Start(buffer), Size));
        return buffer;
    }

    /// <summary>Returns a buffer to the kernel, or to the free list for the next write.</summary>
    public void GiveBack(int buffer)
    {
        if (buffer >= Count)
        {
            _freeOwn.Push(buffer);
            return;
        }

        var entry = _entries + ((_tail & (Count - 1)) * EntrySize);
        *(ulong*)entry = (ulong)Start(buffer);
        *(uint*)(entry + 8) = (uint)Size;
        *(ushort*)(entry + 12) = (ushort)buffer;
        Volatile.Write(ref *(ushort*)(_entries + TailOffset), ++_tail);
        Free++;
    }

    private int AddOwn()
    {
        var buffer = Count + _own.Count;
        if (buffer > ushort.MaxValue) throw new InvalidOperationException("Too many buffers hold written bytes that are not yet sent.");
        if (buffer == _filled.Length) Array.Resize(ref _filled, buffer * 2);
        _own.Add((nint)NativeMemory.Alloc((nuint)Size));
        return buffer;
    }

    /// <summary>Frees the memory. The ring must be closed before, so that nothing receives into it.</summary>
    public void Dispose()
    {
        foreach (var own in _own) NativeMemory.Free((void*)own);
        if ((nint)_entries is not (0 or -1)) _ = Libc.Unmap(_entries, _entriesSize);
        if ((nint)_bytes is not (0 or -1)) _ = Libc.Unmap(_bytes, (nuint)Count * (nuint)Size);
    }
}

/// <summary>The bytes of a buffer that are still to be sent.</summary>
internal struct Filled
{
    public int Start;
    public int Length;

    /// <summary>The next buffer in the same chain.</summary>
    public ushort Next;
}
