using System.Buffers;
using System.Net.Sockets;
using System.Text;
using StickyWs.Dialing;

namespace StickyWs.TestKit;

/// <summary>One end of a connection, byte-exact. Every wait is bounded.</summary>
public class Wire(Socket socket, Stream stream) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    public Socket Socket => socket;

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes, Wait.Token());
        await stream.FlushAsync(Wait.Token());
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Reads what is there, at least one byte unless the end came.</summary>
    public async Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_end > _start)
        {
            var count = Math.Min(buffer.Length, _end - _start);
            _buffer.AsMemory(_start, count).CopyTo(buffer);
            _start += count;
            return count;
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Wait.Token());
        return await stream.ReadAsync(buffer, either.Token);
    }

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var more = await ReadAsync(bytes.AsMemory(read));
            if (more == 0) throw new EndOfStreamException($"Closed after {read} of {count} bytes: {Encoding.Latin1.GetString(bytes, 0, read)}");
            read += more;
        }

        return bytes;
    }

    public async Task<string> ReadTextAsync(int count) => Encoding.Latin1.GetString(await ReadExactlyAsync(count));

    /// <summary>Reads to the orderly end (FIN); a broken connection throws.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        var all = new ArrayBufferWriter<byte>();
        while (true)
        {
            var read = await ReadAsync(all.GetMemory(16 * 1024));
            if (read == 0) return all.WrittenSpan.ToArray();
            all.Advance(read);
        }
    }

    public async Task<string> ReadTextToEndAsync() => Encoding.Latin1.GetString(await ReadToEndAsync());

    /// <summary>Reads a head with its empty line; what came behind it stays.</summary>
    public async Task<string> ReadHeadAsync()
    {
        while (true)
        {
            var end = _buffer.AsSpan(_start.._end).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Encoding.Latin1.GetString(_buffer, _start, end + 4);
                _start += end + 4;
                return head;
            }

            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            var read = await stream.ReadAsync(_buffer.AsMemory(_end), Wait.Token());
            if (read == 0) throw new EndOfStreamException($"Closed within a head: {Encoding.Latin1.GetString(_buffer, 0, _end)}");
            _end += read;
        }
    }

    /// <summary>How the other side ended: <see langword="true"/> for a FIN without a byte, <see langword="false"/> for a broken connection.</summary>
    public async Task<bool> EndsInOrderAsync()
    {
        try
        {
            var rest = await ReadToEndAsync();
            return rest.Length == 0 ? true : throw new InvalidOperationException(
                $"Expected no more than the end, got {rest.Length} bytes: {Encoding.Latin1.GetString(rest)}");
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Waits until the other side ended, in order or not; whatever came before is dropped.</summary>
    public async Task WaitForEndAsync()
    {
        try
        {
            await ReadToEndAsync();
        }
        catch (IOException)
        {
            // Broken is an end too.
        }
    }

    /// <summary>Says that nothing more will be sent (FIN, with TLS a close_notify before it).</summary>
    public async Task FinishAsync()
    {
        if (stream is DuplexTlsStream tls) await tls.FinishWritingAsync();
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Breaks the connection (RST).</summary>
    public void Reset() => socket.Close(0);

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        socket.Dispose();
        GC.SuppressFinalize(this);
    }
}
