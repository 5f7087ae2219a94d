namespace StickyWs.Reactors;

/// <summary>Bytes that arrived in one go, in a buffer of the reactor's.</summary>
internal readonly ref struct Piece
{
    /// <summary>No buffer of the kernel's: what is forwarded is sent at once, or copied.</summary>
    public const int NoBuffer = -1;

    public Piece(int socket, ReadOnlySpan<byte> bytes, int buffer = NoBuffer, bool comesInBulk = false)
    {
        Socket = socket;
        Bytes = bytes;
        Buffer = buffer;
        ComesInBulk = comesInBulk;
    }

    /// <summary>Where they arrived.</summary>
    public int Socket { get; }

    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Whether so much has come of late that splicing would be cheaper.</summary>
    public bool ComesInBulk { get; }

    /// <summary>The kernel's buffer behind them (io_uring), which moves when they are forwarded whole.</summary>
    public int Buffer { get; }

    /// <summary>A part of it, which may be forwarded by itself.</summary>
    /// <param name="part">A part of its bytes.</param>
    public Piece Slice(ReadOnlySpan<byte> part) => new(Socket, part, Buffer);
}
