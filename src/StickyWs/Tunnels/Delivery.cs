using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>
/// Waits until a peer has received what it was sent. A connection that is closed while bytes of the peer's are unread, or still arrive, is reset by
/// the kernel, which then discards what it has not delivered (RFC 9112 section 9.6). Transports that close as soon as all is with the kernel are
/// therefore told to close only after that.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="patience">How long the peer may take nothing.</param>
internal sealed class Delivery(TimeProvider time, TimeSpan patience)
{
    /// <summary>For answers: no backend waits.</summary>
    public static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    // An empty queue may mean that the transport's own thread has not come to the last bytes yet.
    private const int EnoughLooks = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private volatile bool _isCancelled;
    private TaskCompletionSource? _cancelled;
    private long _acknowledged = -1;

    /// <summary>Bytes that the peer has acknowledged, as far as that was looked at.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Ends the wait at once, whatever the clock says, from any thread: nothing that happens to the connection does harm any more.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        Interlocked.MemoryBarrier(); // Either this sees the wait, or the wait sees the flag.
        Volatile.Read(ref _cancelled)?.TrySetResult();
    }

    /// <returns>Whether there is nothing left to wait for; not if the peer took nothing for too long.</returns>
    public async ValueTask<bool> WaitAsync(SocketView socket)
    {
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
                if (time.GetElapsedTime(movedAt) >= patience) return false;
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
