using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// One backend on its way out of service, from the first verb until it is back or gone. A verb that it has already changes nothing; another one takes
/// over from where it is.
/// </summary>
internal sealed partial class BackendDrain(Backend backend, TunnelTable tunnels, Func<double> random, ILogger logger) : IDisposable
{
    private static readonly TimeSpan AwaitedInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time = tunnels.Time;
    private TaskCompletionSource<DrainStatus> _ended = NewTask();
    private DrainOutcome _outcome;
    private BackendMode _mode;
    private DateTimeOffset _since;
    private DateTimeOffset? _until;
    private int _total;
    private readonly HashSet<Tunnel> _aborted = []; // A tunnel may be found, and report that it has opened.
    private int _cut;
    private bool _isCut;
    private bool _hasSaidCut;
    private GoodbyeRound? _round;
    private int _turns;
    private ITimer? _awaited;

    /// <summary>Raised when it is empty, and when what was left was cut and has ended. On the thread pool.</summary>
    public event Action<DrainStatus>? Ended;

    public Backend Backend => backend;

    /// <summary>Completes with the next end of what it does: it is empty, or in service again.</summary>
    public Task<DrainStatus> End
    {
        get
        {
            lock (_lock)
            {
                GoOnIfUsed();
                return _ended.Task;
            }
        }
    }

    /// <summary>Whether it is empty, and not only was, or is in service again.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                GoOnIfUsed();
                return _outcome != DrainOutcome.Draining;
            }
        }
    }

    public DrainStatus Status
    {
        get
        {
            lock (_lock)
            {
                GoOnIfUsed();
                return Read();
            }
        }
    }

    // By leases, or by clients that wait for one of its places and have nowhere else to go.
    private bool IsUsed => backend.ActiveTunnels > 0 || backend.ActiveRequests > 0 || IsAwaited;

    private bool IsAwaited => backend.IsAwaited(LeaseKind.Tunnel) || backend.IsAwaited(LeaseKind.Request);

    /// <summary>The backend's mode has changed. Called under the registry's lock: what takes time is done on the thread pool.</summary>
    public void Turn(DrainOptions options)
    {
        lock (_lock)
        {
            _round?.Dispose();
            _round = null;
            _turns++;
            if (_outcome != DrainOutcome.Draining) _ended = NewTask();
            (_mode, _outcome, _since, _until, _total) = (backend.Mode, DrainOutcome.Draining, _time.GetUtcNow(), null, backend.ActiveTunnels);
            if (_mode == BackendMode.On)
            {
                _ended.TrySetResult(Finish(DrainOutcome.Undrained));
                return;
            }

            (_cut, _isCut, _hasSaidCut) = (0, _mode == BackendMode.Cut, false);
            if (_mode == BackendMode.HandOff) (_round, _until) = (NewRound(options), _since + options.Deadline);
            var (turn, round, total) = (_turns, _round, _total);
            Post(() => Begin(turn, round, total, options.Over));
        }
    }

    /// <summary>A tunnel to it has opened: its handshake was under way.</summary>
    public void Opened(Tunnel tunnel)
    {
        lock (_lock)
        {
            if (_mode < BackendMode.HandOff) return;
            if (!_isCut)
            {
                _round?.Plan([tunnel]);
                return;
            }

            // This may come when it was aborted already, and all is over: then it was counted.
            var isCounted = _outcome != DrainOutcome.Draining && tunnel.EndReason != EndReason.None;
            if (!isCounted && _aborted.Add(tunnel)) _cut++;
        }

        Try(tunnel, static tunnel => tunnel.Abort(EndReason.Cut));
    }

    public void Dispose()
    {
        lock (_lock)
        {
            backend.WhenIdle(null);
            _awaited?.Dispose();
            _round?.Dispose();
        }
    }

    private static TaskCompletionSource<DrainStatus> NewTask() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Post(Action work) => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);

    // A known client may come to a backend that is stopped, also after it was found empty.
    private void GoOnIfUsed()
    {
        if (_outcome is DrainOutcome.Draining or DrainOutcome.Undrained || _mode == BackendMode.On || !IsUsed) return;
        (_outcome, _ended) = (DrainOutcome.Draining, NewTask());
        Watch();
    }

    // Whatever ends from now on is seen, and what ended before by the look that follows.
    private void Watch()
    {
        backend.WhenIdle(_ => Post(Look));
        Post(Look);
    }

    private GoodbyeRound NewRound(DrainOptions options)
    {
        var goodbye = Goodbye.Of(options, EndReason.HandedOff);
        GoodbyeRound? round = null;
        round = new GoodbyeRound(
            _time, options.Over, tunnel => tunnels.Holds(tunnel) && Try(tunnel, tunnel => tunnel.Say(goodbye)), options.Deadline, () => CutIn(round), random);
        return round;
    }

    private void Begin(int turn, GoodbyeRound? round, int total, TimeSpan over)
    {
        if (round is not null) Write(() => LogHandOff(backend.Pool, backend.Name, total, over));
        lock (_lock)
        {
            if (turn != _turns) return;
            Watch();
        }

        if (round is not null) _ = PlanAsync(round);
        Cut();
    }

    private async Task PlanAsync(GoodbyeRound round)
    {
        try
        {
            round.Plan(await Idleness.SortAsync(Mine(), _time, e => Write(() => LogFailed(backend.Pool, backend.Name, e))).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Nobody waits for this; the deadline still cuts.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Write(() => LogFailed(backend.Pool, backend.Name, e));
        }
    }

    // The deadline of a round that another verb has ended meanwhile is none.
    private void CutIn(GoodbyeRound? round)
    {
        lock (_lock)
        {
            if (round is null || _round != round) return;
            _isCut = true;
        }

        Cut();
    }

    private void Cut()
    {
        var left = Mine();
        int count;
        lock (_lock)
        {
            if (!_isCut) return;
            count = left.Count(_aborted.Add);
            _cut += count;
            _hasSaidCut |= count > 0;
        }

        if (count > 0) Write(() => LogCut(backend.Pool, backend.Name, count));
        foreach (var tunnel in left) Try(tunnel, static tunnel => tunnel.Abort(EndReason.Cut));
    }

    private void Look()
    {
        DrainStatus status;
        TaskCompletionSource<DrainStatus> ended;
        bool hasSaidCut;
        lock (_lock)
        {
            if (_outcome != DrainOutcome.Draining || backend.ActiveTunnels > 0 || backend.ActiveRequests > 0) return;
            if (IsAwaited)
            {
                LookAgain();
                return;
            }

            (status, ended, hasSaidCut) = (Finish(_cut > 0 ? DrainOutcome.Cut : DrainOutcome.Empty), _ended, _hasSaidCut);
        }

        if (status.Cut == 0) Write(() => LogEmpty(backend.Pool, backend.Name));
        else if (!hasSaidCut) Write(() => LogCut(backend.Pool, backend.Name, status.Cut)); // They opened after the look at those that were open.
        ended.TrySetResult(status);
        Ended?.Invoke(status);
    }

    // Nobody tells when the last of those who wait gives up.
    private void LookAgain()
    {
        _awaited ??= _time.CreateLasting(static drain => ((BackendDrain)drain!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _awaited.Change(AwaitedInterval, Timeout.InfiniteTimeSpan);
    }

    // The caller completes the task, when all that is to be said was said.
    private DrainStatus Finish(DrainOutcome outcome)
    {
        backend.WhenIdle(null);
        _awaited?.Dispose();
        _awaited = null;
        _round?.Forget();
        _aborted.Clear();
        _outcome = outcome;
        return Read();
    }

    private DrainStatus Read() => new()
    {
        Pool = backend.Pool,
        Backend = backend.Name,
        Mode = _mode,
        Outcome = _outcome,
        Total = _total,
        Left = backend.ActiveTunnels,
        Requests = backend.ActiveRequests,
        Told = _round?.Told ?? 0,
        Cut = _cut,
        Since = _since,
        Until = _until,
    };

    private Tunnel[] Mine() => tunnels.Find(tunnel => tunnel.Backend == backend, int.MaxValue);

    // One tunnel's trouble must not keep the others.
    private bool Try(Tunnel tunnel, Action<Tunnel> end)
    {
        try
        {
            end(tunnel);
            return true;
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Write(() => LogFailed(backend.Pool, backend.Name, e));
            return false;
        }
    }
}
