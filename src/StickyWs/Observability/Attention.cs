namespace StickyWs.Observability;

/// <summary>
/// Whether somebody looks at the process: through <c>IStickyWsState</c>, as the dashboard does. What costs more than a count is kept only then, and for
/// some minutes after the last look. While nobody looks, asking costs one read of a field.
/// </summary>
internal sealed class Attention(TimeProvider time) : IDisposable
{
    /// <summary>For how long a look counts.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Check = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private volatile bool _isPaid;
    private long _lookedAt;
    private int _watches;

    /// <summary>Raised when the first look comes, before it is answered. Handlers must be quick.</summary>
    public event Action? Begun;

    /// <summary>Raised when nobody has looked for some minutes. Handlers must be quick.</summary>
    public event Action? Lapsed;

    public bool IsPaid => _isPaid;

    /// <summary>Since when somebody looks; <see langword="null"/> if nobody does.</summary>
    public DateTimeOffset? Since { get; private set; }

    /// <summary>Somebody looks.</summary>
    public void Look()
    {
        Interlocked.Exchange(ref _lookedAt, time.GetTimestamp());
        if (!_isPaid) Begin();
    }

    /// <summary>Somebody looks until <see cref="EndWatch"/>.</summary>
    public void BeginWatch()
    {
        Interlocked.Increment(ref _watches);
        Look();
    }

    public void EndWatch()
    {
        Look();
        Interlocked.Decrement(ref _watches);
    }

    public void Dispose()
    {
        lock (_lock) _timer?.Dispose();
    }

    private void Begin()
    {
        lock (_lock)
        {
            if (_isPaid) return;
            Since = time.GetUtcNow();
            Begun?.Invoke();
            _isPaid = true;
            _timer ??= time.CreateLasting(static attention => ((Attention)attention!).LapseIfIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(Check, Check);
        }
    }

    private void LapseIfIdle()
    {
        lock (_lock)
        {
            if (!_isPaid || Volatile.Read(ref _watches) > 0 || time.GetElapsedTime(Interlocked.Read(ref _lookedAt)) < Span) return;
            (_isPaid, Since) = (false, null);
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Lapsed?.Invoke();
        }
    }
}
