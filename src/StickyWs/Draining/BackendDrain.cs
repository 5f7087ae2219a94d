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

    /// <summary>Raised when it is empty, and when what was left was cut and has ended. On the thread pool.</summary>
    public event Action<DrainStatus>? Ended;

    public Backend Backend => backend;

    /// <summary>Completes with the next end of what it does: it is empty, or in service again.</summary>
    public Task<DrainStatus> End
    {
        get
        {
            lock (_lock) return _ended.Task;
        }
    }

    public bool HasEnded
    {
        get
        {
            lock (_lock) return _outcome != DrainOutcome.Draining;
        }
    }

    public DrainStatus Status
    {
        get
        {
            lock (_lock) return Read();
        }
    }

    /// <summary>The backend's mode has changed. Called under the registry's lock: what takes time is done on the thread pool.</summary>
    public void Turn(DrainOptions options)
    {
        lock (_lock)
        {
            _round?.Dispose();
            _round = null;
            if (_outcome != DrainOutcome.Draining) _ended = NewTask();
            (_mode, _outcome, _since, _until, _total) = (backend.Mode, DrainOutcome.Draining, _time.GetUtcNow(), null, backend.ActiveTunnels);
            if (_mode == BackendMode.On)
            {
                Finish(DrainOutcome.Undrained);
                return;
            }

            (_cut, _isCut, _hasSaidCut) = (0, _mode == BackendMode.Cut, false);
            backend.WhenIdle(_ => Post(Look));
            if (_mode == BackendMode.HandOff) BeginHandOff(options);
            if (_isCut) Post(Cut);
        }

        Post(Look);
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

            if (_aborted.Add(tunnel)) _cut++;
        }

        Try(tunnel, static tunnel => tunnel.Abort(EndReason.Cut));
    }

    public void Dispose()
    {
        lock (_lock)
        {
            backend.WhenIdle(null);
            _round?.Dispose();
        }
    }

    private static TaskCompletionSource<DrainStatus> NewTask() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Post(Action work) => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);

    private void BeginHandOff(DrainOptions options)
    {
        var goodbye = Goodbye.Of(options, EndReason.HandedOff);
        GoodbyeRound? round = null;
        round = new GoodbyeRound(_time, options.Over, tunnel => Try(tunnel, tunnel => tunnel.Say(goodbye)), options.Deadline, () => CutIn(round), random);
        (_round, _until) = (round, _since + options.Deadline);
        LogHandOff(backend.Pool, backend.Name, _total, options.Over);
        _ = Task.Run(() => PlanAsync(round));
    }

    private async Task PlanAsync(GoodbyeRound round)
    {
        try
        {
            round.Plan(await Idleness.SortAsync(Mine(), _time).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Nobody waits for this; the deadline still cuts.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(backend.Pool, backend.Name, e);
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

        if (count > 0) LogCut(backend.Pool, backend.Name, count);
        foreach (var tunnel in left) Try(tunnel, static tunnel => tunnel.Abort(EndReason.Cut));
    }

    private void Look()
    {
        DrainStatus status;
        lock (_lock)
        {
            if (_outcome != DrainOutcome.Draining || backend.ActiveTunnels > 0 || backend.ActiveRequests > 0) return;
            if (_cut == 0) LogEmpty(backend.Pool, backend.Name);
            else if (!_hasSaidCut) LogCut(backend.Pool, backend.Name, _cut); // They opened after the look at those that were open.
            status = Finish(_cut > 0 ? DrainOutcome.Cut : DrainOutcome.Empty);
        }

        Ended?.Invoke(status);
    }

    private DrainStatus Finish(DrainOutcome outcome)
    {
        backend.WhenIdle(null);
        _round?.Forget();
        _aborted.Clear();
        _outcome = outcome;
        var status = Read();
        _ended.TrySetResult(status);
        return status;
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
    private void Try(Tunnel tunnel, Action<Tunnel> end)
    {
        try
        {
            end(tunnel);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(backend.Pool, backend.Name, e);
        }
    }

    [LoggerMessage(EventIds.HandOffBegun, LogLevel.Information,
        "Backend {Pool}/{Backend} hands off its {Tunnels} tunnels within {Over}", EventName = "HandOffBegun")]
    private partial void LogHandOff(string pool, string backend, int tunnels, TimeSpan over);

    [LoggerMessage(EventIds.BackendEmpty, LogLevel.Information, "Backend {Pool}/{Backend} is empty", EventName = "BackendEmpty")]
    private partial void LogEmpty(string pool, string backend);

    [LoggerMessage(EventIds.BackendCut, LogLevel.Information, "Backend {Pool}/{Backend} was cut with {Tunnels} left", EventName = "BackendCut")]
    private partial void LogCut(string pool, string backend, int tunnels);

    [LoggerMessage(EventIds.DrainFailed, LogLevel.Error, "A tunnel of backend {Pool}/{Backend} could not be told to go", EventName = "DrainFailed")]
    private partial void LogFailed(string pool, string backend, Exception exception);
}
