namespace StickyWs.Reactors;

/// <summary>Bytes that arrived together, in one of the reactor's buffers.</summary>
internal readonly ref struct Piece
{
    /// <summary>Not in a ring buffer: forwarding sends it at once, or copies it.</summary>
    public const int NoBuffer = -1;

    public Piece(int socket, ReadOnlySpan<byte> bytes, int buffer = NoBuffer, bool comesInBulk = false)
    {
        Socket = socket;
        Bytes = bytes;
        Buffer = buffer;
        ComesInBulk = comesInBulk;
    }

    /// <summary>The socket that it arrived at.</summary>
    public int Socket { get; }

    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Whether recent traffic is so heavy that splicing would be cheaper.</summary>
    public bool ComesInBulk { get; }

    /// <summary>The ring buffer that holds the bytes (io_uring); forwarding all of them moves it instead of copying.</summary>
    public int Buffer { get; }

    /// <summary>A part of the piece, which can be forwarded separately.</summary>
    /// <param name="part">A part of <see cref="Bytes"/>.</param>
    public Piece Slice(ReadOnlySpan<byte> part) => new(Socket, part, Buffer);
}
