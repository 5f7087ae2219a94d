using System.Buffers;

namespace StickyWs.Proxying;

/// <summary>The beginning of a body, kept as long as it is everything that was taken from the client.</summary>
internal struct KeptBytes
{
    // What an HTTP/2 backend accepts without reading (RFC 9113 section 6.9.2), and the piece waiting after it.
    private const int Most = 2 * 64 * 1024;

    private byte[]? _buffer;
    private int _length;
    private bool _isLost;

    /// <summary>Whether everything taken is here.</summary>
    public readonly bool IsWhole => !_isLost;

    public readonly ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_isLost) return;
        if (_length + bytes.Length > Most)
        {
            Lose();
            return;
        }

        if (_buffer is null || _buffer.Length < _length + bytes.Length) Grow(_length + bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Bytes were taken that are not here.</summary>
    public void Lose()
    {
        _isLost = true;
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = (null, 0);
    }

    private void Grow(int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(length);
        Bytes.Span.CopyTo(larger);
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}

/// <summary>A request would have to be repeated, but its body, or part of it, is gone.</summary>
internal sealed class NotRepeatableException() : InvalidOperationException("The request was sent before and cannot be sent twice.");
