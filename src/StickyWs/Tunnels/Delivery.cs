using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// Waits until a peer has received what it was sent. When a socket is closed while the peer's bytes are unread or still arriving, the kernel resets
/// the connection and discards what it has not delivered (RFC 9112 section 9.6). Transports that close as soon as the kernel has all bytes must
/// therefore wait for this before they close.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="patience">How long the peer may go without acknowledging anything.</param>
internal sealed class Delivery(TimeProvider time, TimeSpan patience)
{
    /// <summary>For answers: short, since no backend is waiting.</summary>
    public static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    // The queue may be empty only because the transport's own thread has not written the last bytes yet.
    private const int EnoughLooks = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private volatile bool _isCancelled;
    private TaskCompletionSource? _cancelled;
    private long _acknowledged = -1;

    /// <summary>The bytes that the peer had acknowledged when last checked.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Ends the wait at once, from any thread, whatever the clock says: closing the connection can no longer lose anything.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        Interlocked.MemoryBarrier(); // Either this sees the wait, or the wait sees the flag.
        Volatile.Read(ref _cancelled)?.TrySetResult();
    }

    /// <param name="socket">The socket that the peer acknowledges on.</param>
    /// <param name="longest">How long to wait in all, however much the peer acknowledges; <see langword="null"/> for no limit.</param>
    /// <returns>Whether nothing is left to wait for; <see langword="false"/> if the peer acknowledged nothing for too long.</returns>
    public async ValueTask<bool> WaitAsync(SocketView socket, TimeSpan? longest = null)
    {
        var began = time.GetTimestamp();
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _cancelled, cancelled);
        var (pause, looks, movedAt) = (FirstPause, 0, time.GetTimestamp());
        while (!_isCancelled && SendQueue.Of(socket) is { } queue)
        {
            if (queue.Acknowledged != _acknowledged)
            {
                Volatile.Write(ref _acknowledged, queue.Acknowledged);
                movedAt = time.GetTimestamp();
            }

            if (!queue.IsEmpty)
            {
                if (time.GetElapsedTime(movedAt) >= patience || time.GetElapsedTime(began) >= longest) return false;
                (pause, looks) = (pause < LongestPause ? pause * 2 : pause, 0);
            }
            else if (++looks == EnoughLooks)
            {
                return true;
            }
            else
            {
                pause = FirstPause;
            }

            await Task.WhenAny(Task.Delay(pause, time), cancelled.Task).ConfigureAwait(false);
        }

        return true;
    }
}
