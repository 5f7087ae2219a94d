using System.Runtime.InteropServices;

namespace StickyWs.Reactors;

/// <summary>Memory for the <c>struct msghdr</c> and <c>struct iovec</c> (sendmsg(2)) of one turn. The kernel has copied them when it has submitted the send.</summary>
internal sealed unsafe class SendVectors
{
    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private int _headerCount;
    private int _vectorCount;

    /// <param name="pieces">Pieces that there can be in one turn.</param>
    public SendVectors(int pieces)
    {
        _headers = (MessageHeader*)NativeMemory.AllocZeroed((nuint)pieces, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)pieces, (nuint)sizeof(IoVector));
    }

    public void Clear() => (_headerCount, _vectorCount) = (0, 0);

    /// <summary>A message of a chain of pieces.</summary>
    /// <param name="buffers">Where they are.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="length">Their bytes.</param>
    public MessageHeader* Add(UringBuffers buffers, int first, int count, out int length)
    {
        var header = &_headers[_headerCount++];
        *header = new MessageHeader { Vectors = &_vectors[_vectorCount], VectorCount = (nuint)count };
        length = 0;
        for (var buffer = first; count > 0; count--)
        {
            ref var piece = ref buffers[buffer];
            _vectors[_vectorCount++] = new IoVector { Start = buffers.Start(buffer) + piece.Start, Length = (nuint)piece.Length };
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
