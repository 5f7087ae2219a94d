namespace StickyWs.Backends;

/// <summary>The last probes of a backend. Its probe loop writes, anybody reads.</summary>
internal sealed class ProbeHistory
{
    /// <summary>How many are kept.</summary>
    public const int Most = 30;

    private readonly Lock _lock = new();
    private readonly Queue<ProbeRecord> _last = new();

    public void Add(ProbeRecord record)
    {
        lock (_lock)
        {
            if (_last.Count == Most) _last.Dequeue();
            _last.Enqueue(record);
        }
    }

    /// <summary>The last ones, the oldest first.</summary>
    public ProbeRecord[] Read()
    {
        lock (_lock) return [.. _last];
    }
}

/// <summary>A probe that has ended.</summary>
/// <param name="At">When.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Failure">Why it failed; <see langword="null"/> if it was good.</param>
/// <param name="IsVoid">Whether it says nothing about the backend: the balancer lacked something.</param>
internal readonly record struct ProbeRecord(DateTimeOffset At, TimeSpan Took, string? Failure, bool IsVoid);

/// <summary>A verdict that took a backend out.</summary>
/// <param name="At">When.</param>
/// <param name="Cause">Why, as the log has it.</param>
/// <param name="IsHearsay">Whether only traffic had seen it by then.</param>
/// <param name="IsSuspicion">Whether clients may have caused it themselves.</param>
internal sealed record Conviction(DateTimeOffset At, string Cause, bool IsHearsay, bool IsSuspicion)
{
    /// <summary>When it was taken back; <see langword="null"/> while it counts.</summary>
    public DateTimeOffset? Until { get; init; }
}
