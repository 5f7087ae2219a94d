using System.Buffers;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace StickyWs.Proxying;

/// <summary>Delivers what was received before its reader came; says whether more should be.</summary>
internal delegate bool InputSink(ReadOnlySpan<byte> bytes);

/// <summary>
/// Receives while a long request is sent and nobody reads yet, until the answer's status is known. The reader gets those bytes first, and from then on reads for itself.
/// </summary>
internal sealed class InputAhead(IWireLink link) : IDisposable
{
    private const int Capacity = 4096;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closed = new();
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private bool _isWanted;
    private Task? _receiving;
    private Exception? _failure;

    /// <summary>Whether something may be there for a reader.</summary>
    public bool HasBegun => Volatile.Read(ref _buffer) is not null;

    /// <summary>Begins to receive, if it has not.</summary>
    public void Begin(InputSink arrived)
    {
        lock (_lock)
        {
            if (_buffer is not null) return;
            _buffer = ArrayPool<byte>.Shared.Rent(Capacity);
            _isWanted = true;
            _receiving = ReceiveAsync(_buffer, arrived);
        }
    }

    /// <summary>Reads what was received, waiting for it if need be.</summary>
    /// <returns>How many bytes; -1 when there are no more ahead, and the reader is to receive for itself.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        lock (_lock)
        {
            _isWanted = false;
            if (_end > _start) return Take(buffer);
        }

        await _receiving!.ConfigureAwait(false);
        lock (_lock)
        {
            if (_end > _start) return Take(buffer);
            if (_buffer is not null) GiveBack();
        }

        if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
        return -1; // At the end of the stream that says so once more.
    }

    public void Dispose() => _closed.Cancel();

    private async Task ReceiveAsync(byte[] buffer, InputSink arrived)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Not under the lock.
        try
        {
            while (await ReceiveOnceAsync(buffer, arrived).ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            _failure = e; // For the reader.
        }
    }

    private async ValueTask<bool> ReceiveOnceAsync(byte[] buffer, InputSink arrived)
    {
        var received = await link.ReceiveAsync(buffer.AsMemory(_end), _closed.Token).ConfigureAwait(false);
        int from;
        lock (_lock)
        {
            from = _end;
            _end += received;
        }

        if (received == 0 || !arrived(buffer.AsSpan(from, received)) || _end == buffer.Length) return false;
        lock (_lock) return _isWanted;
    }

    private int Take(Memory<byte> buffer)
    {
        var taken = Math.Min(buffer.Length, _end - _start);
        _buffer.AsSpan(_start, taken).CopyTo(buffer.Span);
        _start += taken;
        if (_start == _end && _receiving!.IsCompletedSuccessfully) GiveBack();
        return taken;
    }

    private void GiveBack()
    {
        ArrayPool<byte>.Shared.Return(_buffer!);
        (_buffer, _start, _end) = (null, 0, 0);
    }
}
