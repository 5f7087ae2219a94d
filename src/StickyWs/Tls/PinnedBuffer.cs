namespace StickyWs.Tls;

/// <summary>A buffer that grows, at an address that OpenSSL may write to. Of one thread.</summary>
internal sealed unsafe class PinnedBuffer
{
    private const int Initial = 20 * 1024;
    private const int MostKept = 256 * 1024;

    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(Initial, pinned: true);
    private byte* _start;

    public PinnedBuffer() => _start = Start(_bytes);

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Empties it. What a large call made it grow beyond 256 KiB is given back.</summary>
    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > MostKept) Resize(Initial);
    }

    /// <summary>Room for <paramref name="length"/> bytes behind what is written. Valid until the next call.</summary>
    public byte* Reserve(int length)
    {
        var needed = checked(Length + length);
        if (needed > _bytes.Length) Resize(Math.Max(needed, (int)Math.Min(_bytes.Length * 2L, Array.MaxLength)));
        return _start + Length;
    }

    /// <summary>Counts bytes that were written into the reserved room.</summary>
    public void Advance(int length) => Length += length;

    /// <summary>Takes back what was written after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length) => Length = length;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Reserve(bytes.Length), bytes.Length));
        Advance(bytes.Length);
    }

    private static byte* Start(byte[] pinned)
    {
        fixed (byte* start = pinned) return start;
    }

    private void Resize(int capacity)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        Written.CopyTo(bytes);
        _bytes = bytes;
        _start = Start(bytes);
    }
}
