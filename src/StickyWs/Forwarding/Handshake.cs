using System.Buffers;
using System.Net.Sockets;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>
/// One handshake with one backend: sends the head, reads the response head within the time-out and the size limit, and says whether it is the
/// expected 101. Interim responses (RFC 9110 section 15.2) are skipped.
/// </summary>
internal sealed class Handshake(TimeProvider time)
{
    private const int FirstRead = 2048;

    public async ValueTask<HandshakeResult> RunAsync(
        BackendConnection connection, ReadOnlyMemory<byte> request, RequestHead asked, TimeSpan timeout, int maxHeadBytes, CancellationToken clientLeft)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var leaving = clientLeft.UnsafeRegister(static timer => ((CancellationTokenSource)timer!).Cancel(), timer);
        try
        {
            await connection.Stream.WriteAsync(request, timer.Token).ConfigureAwait(false);
            return await ReadAnswerAsync(connection.Stream, asked, maxHeadBytes, timer.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new HandshakeResult(clientLeft.IsCancellationRequested ? HandshakeOutcome.ClientGone : HandshakeOutcome.TimedOut);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return new HandshakeResult(HandshakeOutcome.NoAnswer);
        }
    }

    private static async ValueTask<HandshakeResult> ReadAnswerAsync(Stream stream, RequestHead asked, int maxHeadBytes, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstRead);
        var (start, length) = (0, 0);
        try
        {
            while (true)
            {
                if (length == buffer.Length) buffer = Grow(buffer);
                var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                if (read == 0) return new HandshakeResult(length == 0 ? HandshakeOutcome.NoAnswer : HandshakeOutcome.BadAnswer);
                length += read;
                while (start < length)
                {
                    var used = ResponseHead.TryParse(buffer.AsSpan(start, length - start), out var head);
                    if (used < 0 || (used == 0 && length >= maxHeadBytes)) return new HandshakeResult(HandshakeOutcome.BadAnswer);
                    if (used == 0) break;
                    start += used;
                    if (start > maxHeadBytes) return new HandshakeResult(HandshakeOutcome.BadAnswer);
                    if (head!.Status is >= 100 and < 200 and not 101) continue;
                    return Judge(head, asked, buffer.AsSpan(start, length - start));
                }
            }
        }
        catch (Exception e) when (length > 0 && e is (IOException or SocketException))
        {
            return new HandshakeResult(HandshakeOutcome.BadAnswer); // Its response had started, so no other backend may be tried.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static HandshakeResult Judge(ResponseHead head, RequestHead asked, ReadOnlySpan<byte> afterHead)
    {
        if (head.Status != 101) return new HandshakeResult(HandshakeOutcome.Declined, head, afterHead.ToArray());
        return head.Opens(asked)
            ? new HandshakeResult(HandshakeOutcome.Opened, head, afterHead.ToArray())
            : new HandshakeResult(HandshakeOutcome.BadAnswer);
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger.AsSpan());
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
