using System.Buffers;
using StickyWs.Detection;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>
/// Like <see cref="HeadReader"/>, but on a bare socket: peeks into the kernel's receive buffer, so that a slow client takes no memory in this
/// process.
/// </summary>
internal static class HeadPeeker
{
    // As long as a ClientHello may be. A longer head might not fit into the kernel's buffer while nothing is consumed; Kestrel reads such a head.
    private const int Longest = 32 * 1024;
    private const int First = 4 * 1024;

    /// <summary>The synchronous path: what has already arrived may be enough.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public static bool TryRead(IRawConnection connection, ref Sniffer sniffer, out HeadResult result)
    {
        // Before the peek: unconsumed bytes hide the end of the stream after them.
        var isEnd = connection.HasPeerLeft;
        for (var size = First; ; size = Longest)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                var length = connection.TryPeek(buffer);
                if (length == buffer.Length && size < Longest) continue;
                return TryJudge(buffer.AsMemory(0, Math.Max(length, 0)), isEnd || length == 0, ref sniffer, out result);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>The asynchronous path. A time-out is an outcome here, not an exception; a stopping server stops waiting.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async ValueTask<HeadResult> ReadAsync(
        IRawConnection connection, Sniffer sniffer, TimeSpan deadline, TimeProvider time, CancellationToken stopping)
    {
        using var timer = new CancellationTokenSource(deadline, time);
        using var stop = stopping.UnsafeRegister(static timer => ((CancellationTokenSource)timer!).Cancel(), timer);
        try
        {
            while (true)
            {
                await connection.WaitReadableAsync(timer.Token).ConfigureAwait(false);
                if (TryRead(connection, ref sniffer, out var result)) return result;
            }
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested)
        {
            return HeadResult.Late(sniffer);
        }
    }

    private static bool TryJudge(ReadOnlyMemory<byte> bytes, bool isEnd, ref Sniffer sniffer, out HeadResult result)
    {
        var verdict = sniffer.Sniff(new ReadOnlySequence<byte>(bytes), out var head);
        if (verdict == Verdict.NeedMore && bytes.Length >= Longest) verdict = Verdict.Doubtful;
        var holdsRecord = verdict == Verdict.Tls && TlsEnd.IsWholeRecord(bytes.Span);
        result = new HeadResult(HeadOutcome.Sniffed, verdict, head, sniffer.Hello) { HoldsRecord = holdsRecord };
        return verdict != Verdict.NeedMore || isEnd;
    }
}
