namespace StickyWs.Backends;

/// <summary>
/// What a backend did in the last minute, in parts of ten seconds. To count something is one interlocked addition, besides a look at the clock; nothing is
/// allocated. What is counted in the moment in which a part begins anew may be lost. Safe for concurrent use.
/// </summary>
internal sealed class WorkWindow
{
    /// <summary>The length of the window: that many whole parts, and the one under way.</summary>
    public const int Parts = 6;

    private const int Handshakes = 0;
    private const int Requests = DurationScale.Count;
    private const int Counters = 2 * DurationScale.Count;

    /// <summary>The length of a part.</summary>
    public static readonly TimeSpan Part = TimeSpan.FromSeconds(10);

    private readonly Slot[] _slots;
    private readonly TimeProvider _time;
    private readonly long _begunAt;
    private readonly long _ticksPerPart;

    public WorkWindow(TimeProvider time)
    {
        (_time, _begunAt) = (time, time.GetTimestamp());
        _ticksPerPart = (long)(Part.TotalSeconds * time.TimestampFrequency);
        _slots = new Slot[Parts + 1];
        for (var i = 0; i < _slots.Length; i++) _slots[i] = new Slot(Counters + WorkCounters.Count);
    }

    public void CountHandshake(TimeSpan duration) => Count(Handshakes + DurationScale.IndexOf(duration));

    public void CountRequest(TimeSpan duration) => Count(Requests + DurationScale.IndexOf(duration));

    public void Count(WorkCounter counter) => Count(Counters + (int)counter);

    /// <summary>Adds the parts up.</summary>
    public WorkTotals Read()
    {
        var now = _time.GetTimestamp();
        var number = now / _ticksPerPart;
        Span<long> sums = stackalloc long[Counters + WorkCounters.Count];
        foreach (var slot in _slots) slot.AddTo(sums, number - Parts, number);
        var whole = TimeSpan.FromSeconds((double)(now - ((number - Parts) * _ticksPerPart)) / _time.TimestampFrequency);
        var since = _time.GetElapsedTime(_begunAt, now);
        return new WorkTotals(since < whole ? since : whole, TimesOf(sums[..Requests]), TimesOf(sums[Requests..Counters]), sums[Counters..].ToArray());
    }

    private static WorkTimes TimesOf(ReadOnlySpan<long> counts)
    {
        long all = 0;
        foreach (var count in counts) all += count;
        return new WorkTimes(all, DurationScale.Quantile(counts, 0.5), DurationScale.Quantile(counts, 0.99));
    }

    private void Count(int index)
    {
        var number = _time.GetTimestamp() / _ticksPerPart;
        _slots[(int)(number % _slots.Length)].Count(number, index);
    }

    private sealed class Slot(int length)
    {
        private readonly int[] _counts = new int[length];
        private readonly Lock _lock = new();
        private long _number = -1;

        public void Count(long number, int index)
        {
            if (Volatile.Read(ref _number) < number) Begin(number);
            Interlocked.Increment(ref _counts[index]);
        }

        public void AddTo(Span<long> sums, long first, long last)
        {
            if (Volatile.Read(ref _number) is var number && (number < first || number > last)) return;
            for (var i = 0; i < sums.Length; i++) sums[i] += Volatile.Read(ref _counts[i]);
        }

        // Once in ten seconds.
        private void Begin(long number)
        {
            lock (_lock)
            {
                if (_number >= number) return;
                Array.Clear(_counts);
                Volatile.Write(ref _number, number);
            }
        }
    }
}
