using StickyWs.Observability;

namespace StickyWs.Backends;

/// <summary>
/// When those in a line have waited for too long: one timer for all of them. Guarded by the line's lock, which <paramref name="look"/> takes.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="look">Called in the thread pool when somebody may be overdue (<see cref="NextOverdue"/>).</param>
internal sealed class WaitDeadlines(TimeProvider time, Action look)
{
    private static readonly Comparer<Waiter> ByDeadline = Comparer<Waiter>.Create(
        static (a, b) => a.Deadline != b.Deadline ? a.Deadline.CompareTo(b.Deadline) : a.Number.CompareTo(b.Number));

    // Deadlines come nearly in the order of the line; but attempts of one client share its time, and options change.
    private readonly SortedSet<Waiter> _waiters = new(ByDeadline);
    private ITimer? _timer;
    private long _timerAt = long.MaxValue;

    /// <summary>One that has its number begins to wait.</summary>
    public void Add(Waiter waiter, TimeSpan longest)
    {
        waiter.Deadline = time.GetTimestamp() + (long)(longest.TotalSeconds * time.TimestampFrequency);
        _waiters.Add(waiter);
        Arm(waiter.Deadline);
    }

    /// <summary>It waits no more. The timer stays as it is: it finds nobody, and is set to the next.</summary>
    public void Remove(Waiter waiter) => _waiters.Remove(waiter);

    /// <summary>The one that is overdue for the longest. If there is none, the timer is set to the next deadline.</summary>
    public Waiter? NextOverdue()
    {
        if (_waiters.Min is not { } next) return null;
        if (next.Deadline <= time.GetTimestamp()) return next;
        Arm(next.Deadline);
        return null;
    }

    /// <summary>The timer has fired.</summary>
    public void NoteFired() => _timerAt = long.MaxValue;

    // In whole milliseconds, as the system's timers count, and not before.
    private void Arm(long at)
    {
        if (at >= _timerAt) return;
        _timerAt = at;
        var wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, time.GetElapsedTime(time.GetTimestamp(), at).TotalMilliseconds)));
        _timer ??= time.CreateLasting(static look => ((Action)look!)(), look, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
