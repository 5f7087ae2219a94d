using System.Buffers;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace StickyWs.Proxying;

/// <summary>Receives bytes ahead of their reader, an empty span for the end; returns whether to continue.</summary>
internal delegate bool InputSink(ReadOnlySpan<byte> bytes);

/// <summary>
/// Receives while a request is being sent and has no reader yet, for as long as its sink wants. The reader gets those bytes first, and from then on
/// reads by itself.
/// </summary>
internal sealed class InputAhead(IWireLink link) : IDisposable
{
    private const int Capacity = 4096;
    private const int MostCapacity = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closed = new();
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private bool _isWanted;
    private Task? _receiving;
    private Exception? _failure;

    /// <summary>Whether there may be bytes for a reader.</summary>
    public bool HasBegun => Volatile.Read(ref _buffer) is not null;

    /// <summary>Whether there are bytes, or the end, that no reader has taken.</summary>
    public bool HasArrived
    {
        get
        {
            if (!HasBegun) return false;
            lock (_lock) return _buffer is not null && (_end > _start || _receiving!.IsCompleted);
        }
    }

    /// <summary>Starts to receive, unless it has started.</summary>
    public void Begin(InputSink arrived)
    {
        lock (_lock)
        {
            if (_buffer is not null) return;
            _buffer = ArrayPool<byte>.Shared.Rent(Capacity);
            _isWanted = true;
            _receiving = ReceiveAsync(arrived);
        }
    }

    /// <summary>Reads what was received, waiting for it if necessary.</summary>
    /// <returns>The number of bytes; -1 if there are no more, and the reader must receive by itself.</returns>
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
        return -1; // At the end of the stream the next receive reports it again.
    }

    public void Dispose() => _closed.Cancel();

    private async Task ReceiveAsync(InputSink arrived)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Not under the lock.
        try
        {
            while (await ReceiveOnceAsync(arrived).ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            _failure = e; // For the reader.
            arrived(default);
        }
    }

    private async ValueTask<bool> ReceiveOnceAsync(InputSink arrived)
    {
        var room = Room();
        if (room.IsEmpty) return false;
        var received = await link.ReceiveAsync(room, _closed.Token).ConfigureAwait(false);
        lock (_lock) _end += received;
        var goesOn = arrived(room.Span[..received]);
        lock (_lock) return goesOn && received > 0 && _isWanted;
    }

    private Memory<byte> Room()
    {
        lock (_lock)
        {
            if (_end == _buffer!.Length && _end < MostCapacity)
            {
                var larger = ArrayPool<byte>.Shared.Rent(2 * _end);
                _buffer.CopyTo(larger, 0);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }

            return _buffer.AsMemory(_end);
        }
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
