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
    private bool _isStepDue;

    private static bool IsWarming(PoolSnapshot pool) => pool.Eligible.IsWarming;

    private void ScheduleStep()
    {
        if (_isStepDue) return;
        TimeSpan? next = null;
        foreach (var pool in _current.PoolsInUse.Where(IsWarming))
        {
            if (pool.Options.SlowStart / Steps is { } step && !(next <= step)) next = step;
        }

        if (next is null) return;
        _isStepDue = true;
        _warming ??= time.CreateTimer(static registry => ((BackendRegistry)registry!).Step(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _warming.Change(next.Value < ShortestStep ? ShortestStep : next.Value, Timeout.InfiniteTimeSpan);
    }

    private void Step()
    {
        lock (_lock)
        {
            _isStepDue = false;
            _current = Refrozen(_current, IsWarming, isEarlier: false);
            ScheduleStep();
        }
    }
}
