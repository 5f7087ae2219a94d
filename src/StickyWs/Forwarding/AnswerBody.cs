using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Dialing;
using StickyWs.Http1;

namespace StickyWs.Forwarding;

/// <summary>The body of a backend's response that declines a handshake, without its transfer framing.</summary>
internal sealed class AnswerBody(BackendConnection connection, ResponseHead head, ReadOnlyMemory<byte> received, TimeSpan silence, TimeProvider time)
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Copies the body, flushing after each piece.</summary>
    /// <exception cref="IOException">
    /// The client is gone, the backend aborted, or its chunks are malformed: the client must not take the part it got for the whole body.
    /// </exception>
    /// <exception cref="OperationCanceledException">The backend was silent or the client took nothing for too long, or the caller cancelled.</exception>
    public async ValueTask CopyToAsync(IBufferWriter<byte> output, Func<CancellationToken, ValueTask<FlushResult>> flush, CancellationToken cancellationToken)
    {
        if (head.Framing == BodyFraming.None || head is { Framing: BodyFraming.Length, ContentLength: 0 }) return;
        var decoder = new BodyDecoder(head.Framing, head.ContentLength);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        using var timer = new CancellationTokenSource(silence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            var piece = received;
            while (true)
            {
                decoder.Decode(piece.Span, output);
                timer.CancelAfter(silence);
                var flushed = await flush(either.Token).ConfigureAwait(false);
                if (decoder.IsComplete) return;
                if (flushed.IsCompleted) throw new IOException("The client went away before the answer was whole.");
                timer.CancelAfter(silence);
                var read = await connection.Stream.ReadAsync(buffer, either.Token).ConfigureAwait(false);
                piece = buffer.AsMemory(0, read);
                if (read > 0) continue;
                if (head.Framing == BodyFraming.UntilClose) return;
                throw new IOException("The backend closed the connection before its answer was whole.");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
