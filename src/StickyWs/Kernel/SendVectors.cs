using System.Numerics;
using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// Memory for the <c>struct msghdr</c> and <c>struct iovec</c> (sendmsg(2)) of one turn. The kernel has copied them when it has submitted the send.
/// </summary>
internal sealed unsafe class SendVectors
{
    /// <summary>Pieces that the kernel takes in one message: its <c>UIO_MAXIOV</c> (readv(2)).</summary>
    private const int MostPerMessage = 1024;

    private MessageHeader* _headers;
    private IoVector* _vectors;
    private int _room;
    private int _headerCount;
    private int _vectorCount;

    /// <summary>Begins a turn, when the kernel has submitted all sends of the one before.</summary>
    /// <param name="pieces">Pieces that there are at most.</param>
    public void Clear(int pieces)
    {
        (_headerCount, _vectorCount) = (0, 0);
        if (pieces <= _room) return;
        Dispose();
        _room = (int)BitOperations.RoundUpToPowerOf2((uint)pieces);
        _headers = (MessageHeader*)NativeMemory.Alloc((nuint)_room, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.Alloc((nuint)_room, (nuint)sizeof(IoVector));
    }

    /// <summary>A message of a chain of pieces, as many as the kernel takes in one.</summary>
    /// <param name="buffers">Where they are.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    /// <param name="length">Bytes of the message.</param>
    /// <exception cref="InvalidOperationException">There are more pieces than were announced: a defect.</exception>
    public MessageHeader* Add(UringBuffers buffers, int first, int count, out int length)
    {
        count = Math.Min(count, MostPerMessage);
        if (_vectorCount + count > _room) throw new InvalidOperationException($"There are more than {_room} pieces to send.");
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
        _headers = null;
        _vectors = null;
        _room = 0;
    }
}
