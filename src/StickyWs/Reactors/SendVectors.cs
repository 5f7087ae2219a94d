using System.Runtime.InteropServices;

namespace StickyWs.Reactors;

/// <summary>Memory for the <c>struct msghdr</c> and <c>struct iovec</c> (sendmsg(2)) of one turn. The kernel has copied them when it has submitted the send.</summary>
internal sealed unsafe class SendVectors
{
    private const int HeaderSize = 56;
    private const int VectorsOffset = 16;
    private const int VectorSize = 16;

    private readonly byte* _headers;
    private readonly byte* _vectors;
    private int _headerCount;
    private int _vectorCount;

    /// <param name="pieces">Pieces that there can be in one turn.</param>
    public SendVectors(int pieces)
    {
        _headers = (byte*)NativeMemory.AllocZeroed((nuint)(pieces * HeaderSize));
        _vectors = (byte*)NativeMemory.AllocZeroed((nuint)(pieces * VectorSize));
    }

    public void Clear() => (_headerCount, _vectorCount) = (0, 0);

    /// <summary>A message of a chain of pieces.</summary>
    /// <param name="buffers">Where they are.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="length">Their bytes.</param>
    public byte* Add(UringBuffers buffers, int first, int count, out int length)
    {
        var header = _headers + (_headerCount++ * HeaderSize);
        *(byte**)(header + VectorsOffset) = _vectors + (_vectorCount * VectorSize);
        *(nuint*)(header + VectorsOffset + 8) = (nuint)count;
        length = 0;
        for (var buffer = first; count > 0; count--)
        {
            ref var piece = ref buffers[buffer];
            var vector = _vectors + (_vectorCount++ * VectorSize);
            *(byte**)vector = buffers.Start(buffer) + piece.Start;
            *(nuint*)(vector + 8) = (nuint)piece.Length;
            length += piece.Length;
            buffer = piece.Next;
        }

        return header;
    }

    public void Dispose()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
    }
}
