using StickyWs.Observability;

namespace StickyWs.Backends;

/// <summary>
/// The growth of the shares of backends that are new or back. Snapshots hold the order of turns, so while such a backend is in use they are made anew for
/// every twentieth of the time. Nobody is told of these: nothing but shares has changed.
/// </summary>
internal sealed partial class BackendRegistry
{
    private const int Steps = 20;

    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(100);

    private ITimer? _warming;
    private long _stepAt = long.MaxValue;

    private static bool IsWarming(PoolSnapshot pool) => pool.Eligible.IsWarming;

    private void ScheduleStep()
    {
        TimeSpan? next = null;
        foreach (var pool in _current.PoolsInUse.Where(IsWarming))
        {
            if (pool.Options.SlowStart / Steps is { } step && !(next <= step)) next = step;
        }

        if (next is not { } wait) return;
        if (wait < ShortestStep) wait = ShortestStep;
        var at = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        if (at >= _stepAt) return; // Never later: many changes in a row would hold the steps up.
        _stepAt = at;
        _warming ??= time.CreateLasting(static registry => ((BackendRegistry)registry!).Step(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _warming.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Step()
    {
        lock (_lock)
        {
            _stepAt = long.MaxValue;
            var next = Refrozen(_current, IsWarming, isEarlier: false);
            AdmitWaiting(next);
            _current = next;
            LookAtLines(); // Limits grow with shares.
            ScheduleStep();
        }
    }
}
