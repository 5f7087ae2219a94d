using System.Numerics;
using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>
/// Memory for the <c>struct msghdr</c> and <c>struct iovec</c> (sendmsg(2)) of one turn of the reactor. The kernel copies them when it submits the
/// send.
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

    /// <summary>Begins a turn. All sends of the previous turn must have been submitted.</summary>
    /// <param name="pieces">The most pieces that the turn can add.</param>
    public void Clear(int pieces)
    {
        (_headerCount, _vectorCount) = (0, 0);
        if (pieces <= _room) return;
        Dispose();
        _room = (int)BitOperations.RoundUpToPowerOf2((uint)pieces);
        _headers = (MessageHeader*)NativeMemory.Alloc((nuint)_room, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.Alloc((nuint)_room, (nuint)sizeof(IoVector));
    }

    /// <summary>Adds a message for a chain of pieces, or for as many of them as the kernel takes in one message.</summary>
    /// <param name="buffers">The buffers that hold the pieces.</param>
    /// <param name="first">The first buffer of the chain.</param>
    /// <param name="count">The length of the chain.</param>
    /// <param name="length">The bytes of the message.</param>
    /// <exception cref="InvalidOperationException">There are more pieces than announced: a defect.</exception>
    public MessageHeader* Add(UringBuffers buffers, int first, int count, out int length)
    {
        count = Math.Min(count, MostPerMessage);
        if (_vectorCount + count > _room) throw new InvalidOperationException($"More than the announced {_room} pieces to send.");
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
