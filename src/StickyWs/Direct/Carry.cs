using System.Buffers;

namespace StickyWs.Direct;

/// <summary>Bytes that were received and not used yet, in pooled memory, which is held only while there are any. Belongs to one owner.</summary>
internal struct Carry
{
    private byte[]? _buffer;
    private int _start;
    private int _length;

    public readonly int Length => _length;

    public readonly bool IsEmpty => _length == 0;

    /// <summary>Valid until the next call.</summary>
    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, _length);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var needed = _length + bytes.Length;
        if (_buffer is null || _buffer.Length < needed)
        {
            var larger = ArrayPool<byte>.Shared.Rent(needed);
            Bytes.CopyTo(larger);
            if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
            (_buffer, _start) = (larger, 0);
        }
        else if (_start + needed > _buffer.Length)
        {
            Bytes.CopyTo(_buffer);
            _start = 0;
        }

        bytes.CopyTo(_buffer.AsSpan(_start + _length));
        _length = needed;
    }

    /// <summary>Removes the first bytes.</summary>
    public void Drop(int count)
    {
        (_start, _length) = (_start + count, _length - count);
        if (_length == 0) Clear();
    }

    public void Clear()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        this = default;
    }
}
