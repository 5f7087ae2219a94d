using System.IO.Pipelines;
using StickyWs.Detection;

namespace StickyWs.Connections;

/// <summary>Waits for the first request head of a connection, within the deadline, and consumes nothing.</summary>
internal static class HeadReader
{
    /// <summary>The synchronous path: what has already arrived may be enough.</summary>
    public static bool TryRead(PipeReader input, ref Sniffer sniffer, out HeadResult result)
    {
        if (input.TryRead(out var read)) return TryJudge(input, read, ref sniffer, out result);
        result = default;
        return false;
    }

    /// <summary>The asynchronous path. A time-out is an outcome here, not an exception; a stopping server stops waiting.</summary>
    public static async ValueTask<HeadResult> ReadAsync(PipeReader input, Sniffer sniffer, TimeSpan deadline, TimeProvider time, CancellationToken stopping)
    {
        using var timer = new CancellationTokenSource(deadline, time);
        using var stop = stopping.UnsafeRegister(static timer => ((CancellationTokenSource)timer!).Cancel(), timer);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(timer.Token).ConfigureAwait(false);
                if (TryJudge(input, read, ref sniffer, out var result)) return result;
            }
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested)
        {
            return HeadResult.Late(sniffer);
        }
    }

    // "Need more" examines to the end, or the next read would return at once and spin; a verdict examines nothing, so that the next reader finds every
    // byte.
    private static bool TryJudge(PipeReader input, ReadResult read, ref Sniffer sniffer, out HeadResult result)
    {
        var verdict = sniffer.Sniff(read.Buffer, out var head);
        var isDecided = verdict != Verdict.NeedMore || read.IsCompleted || read.IsCanceled;
        input.AdvanceTo(read.Buffer.Start, isDecided ? read.Buffer.Start : read.Buffer.End);
        result = new HeadResult(HeadOutcome.Sniffed, verdict, head, sniffer.Hello);
        return isDecided;
    }
}
