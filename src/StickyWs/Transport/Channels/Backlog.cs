namespace StickyWs.Transport;

/// <summary>Bytes that wait for the kernel, the oldest first. Many small ones cost no more than few large ones; while none wait, they take no memory.</summary>
internal struct Backlog
{
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    public readonly int Length => _end - _start;

    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        if (_buffer is null || _buffer.Length - _end < bytes.Length) MakeRoom(Length + bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Removes the oldest ones, which the kernel has taken.</summary>
    public void Take(int count)
    {
        _start += count;
        if (IsEmpty) this = default;
    }

    // What stays is moved when at least as much has come, or gone, since it was moved last.
    private void MakeRoom(int length)
    {
        var buffer = _buffer is null ? new byte[length] : length <= _buffer.Length / 2 ? _buffer : new byte[2 * length];
        Bytes.CopyTo(buffer);
        (_buffer, _start, _end) = (buffer, 0, Length);
    }
}
