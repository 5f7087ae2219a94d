using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// Receives, and learns by the same call how many bytes are left in the kernel (<c>TCP_INQ</c> in linux/tcp.h, since Linux 4.18). For a socket with
/// <see cref="SocketOptions.SetCounted"/>. For one thread.
/// </summary>
internal sealed unsafe class CountedReceive
{
    private readonly Memory* _memory = (Memory*)NativeMemory.AllocZeroed((nuint)sizeof(Memory));

    public CountedReceive()
    {
        _memory->Header.Vectors = &_memory->Vector;
        _memory->Header.VectorCount = 1;
        _memory->Header.Control = &_memory->Control;
    }

    /// <summary>Receives without waiting.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">The most bytes to receive.</param>
    /// <param name="left">How many bytes are left, up to the end if that came (it counts as one); -1 if the kernel does not say.</param>
    /// <returns>The number of bytes; 0 at the end, less after an error (<see cref="Libc.Error"/>).</returns>
    public nint Receive(int fd, byte* buffer, int length, out int left)
    {
        _memory->Vector = new IoVector { Start = buffer, Length = (nuint)length };
        _memory->Header.ControlLength = ControlSize;
        var received = Libc.ReceiveMessage(fd, &_memory->Header, Libc.MSG_DONTWAIT);
        ref readonly var control = ref _memory->Control;
        var isTold = received > 0 && _memory->Header.ControlLength >= ControlLength && control is { Level: Libc.IPPROTO_TCP, Type: Libc.TCP_INQ };
        left = isTold ? _memory->Left : -1;
        return received;
    }

    public void Dispose() => NativeMemory.Free(_memory);

    // CMSG_SPACE and CMSG_LEN of an int.
    private static nuint ControlSize => (nuint)(sizeof(ControlHeader) + sizeof(long));

    private static nuint ControlLength => (nuint)(sizeof(ControlHeader) + sizeof(int));

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public MessageHeader Header;
        public IoVector Vector;
        public ControlHeader Control;
        public int Left;
        public int Padding;
    }
}
