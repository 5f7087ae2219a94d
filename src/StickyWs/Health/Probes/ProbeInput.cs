namespace StickyWs.Health;

/// <summary>The unread bytes from a backend to a probe: at most 32 KiB at a time.</summary>
internal sealed class ProbeInput(Stream stream)
{
    /// <summary>The longest head that is accepted.</summary>
    public const int Capacity = 32 * 1024;

    private readonly byte[] _buffer = new byte[Capacity];
    private int _start;
    private int _end;

    public ReadOnlyMemory<byte> Unread => _buffer.AsMemory(_start, _end - _start);

    public bool IsFull => _end - _start == Capacity;

    public void Consume(int count) => _start += count;

    /// <summary>Waits for more bytes after the unread ones.</summary>
    /// <exception cref="ProbeFailedException">The backend closed.</exception>
    public async ValueTask ReadMoreAsync(string awaited, CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            Unread.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        if (read == 0) throw new ProbeFailedException($"connection closed before {awaited}");
        _end += read;
    }
}
