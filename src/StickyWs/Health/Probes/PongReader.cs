using System.Buffers.Binary;

namespace StickyWs.Health;

/// <summary>
/// Reads a backend's frames (RFC 6455 section 5.2) up to the pong that answers a ping. Unsolicited frames before that are skipped, within bounds: a
/// flood must not keep a probe busy.
/// </summary>
internal sealed class PongReader(ProbeInput input)
{
    private const int MaxFrames = 256;
    private const long MaxSkippedBytes = 1024 * 1024;
    private const int MaxControlPayload = 125;
    private const int Close = 0x8;
    private const int Pong = 0xA;
    private const string Awaited = "the ping was answered";

    /// <exception cref="ProbeFailedException">The backend closed, broke a rule of the protocol, or sent too much else.</exception>
    public async ValueTask ReadAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        long skipped = 0;
        for (var frame = 0; frame < MaxFrames; frame++)
        {
            var (opcode, length) = await ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
            if (opcode == Close) throw new ProbeFailedException("the backend sent Close instead of a pong");
            if (opcode == Pong)
            {
                await BufferAsync((int)length, cancellationToken).ConfigureAwait(false);
                var isAnswer = input.Unread.Span[..(int)length].SequenceEqual(payload.Span);
                input.Consume((int)length);
                if (isAnswer) return;
                continue;
            }

            skipped += length;
            if (length > MaxSkippedBytes || skipped > MaxSkippedBytes) break;
            await SkipAsync(length, cancellationToken).ConfigureAwait(false);
        }

        throw new ProbeFailedException($"more than {MaxFrames} frames or {MaxSkippedBytes} bytes, and no pong among them");
    }

    private async ValueTask<(int Opcode, long Length)> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        await BufferAsync(2, cancellationToken).ConfigureAwait(false);
        var first = input.Unread.Span[0];
        var second = input.Unread.Span[1];
        input.Consume(2);
        var opcode = first & 0x0f;
        long length = second & 0x7f;
        var isControl = opcode >= Close;
        var isFinal = (first & 0x80) != 0;
        if ((first & 0x70) != 0) throw new ProbeFailedException("a frame with a reserved bit, though no extension was offered");
        if (opcode is (> 0x2 and < Close) or > Pong) throw new ProbeFailedException("a frame with a reserved opcode");
        if ((second & 0x80) != 0) throw new ProbeFailedException("a masked frame, which a server must not send");
        if (isControl && (length > MaxControlPayload || !isFinal)) throw new ProbeFailedException("a control frame that is fragmented or too long");
        if (length > MaxControlPayload) length = await ReadLengthAsync(length == 126 ? sizeof(ushort) : sizeof(ulong), cancellationToken).ConfigureAwait(false);
        return (opcode, length);
    }

    private async ValueTask<long> ReadLengthAsync(int bytes, CancellationToken cancellationToken)
    {
        await BufferAsync(bytes, cancellationToken).ConfigureAwait(false);
        var span = input.Unread.Span;
        var length = bytes == sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(span) : BinaryPrimitives.ReadInt64BigEndian(span);
        input.Consume(bytes);
        return length >= 0 ? length : throw new ProbeFailedException("a frame with a negative length");
    }

    private async ValueTask BufferAsync(int count, CancellationToken cancellationToken)
    {
        while (input.Unread.Length < count) await input.ReadMoreAsync(Awaited, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SkipAsync(long count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (input.Unread.IsEmpty) await input.ReadMoreAsync(Awaited, cancellationToken).ConfigureAwait(false);
            var step = (int)Math.Min(count, input.Unread.Length);
            input.Consume(step);
            count -= step;
        }
    }
}
