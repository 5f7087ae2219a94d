using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Health;

/// <summary>
/// Probes one backend for as long as it is configured: probe, judge, wait, in sequence, so that probes of one backend never overlap. A suspicion from
/// traffic ends the wait. Owned by the monitor, which starts it once and stops it once, alone or together with all others.
/// </summary>
internal sealed partial class ProbeLoop(
    Backend backend, BreakerBoard board, TimeProvider time, StickyWsMetrics metrics, Func<double> random, ILogger logger, CancellationToken stopping)
    : IDisposable
{
    // The shortest time between two probes, however many suspicions arrive.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(500);

    private readonly ProbeStreak _streak = new();
    private readonly TaskCompletionSource _judged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _suspected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ProbePipeline? _pipeline;
    private volatile bool _isProven;
    private bool _isUrgent;
    private bool _isTold;
    private bool _isVoidTold;
    private int _good;
    private Task _running = Task.CompletedTask;

    /// <summary>Takes over a changed probe, from the next probe on; that one is due at once if the probe differs from the one before.</summary>
    public void Configure(ProbePipeline pipeline)
    {
        var before = _pipeline;
        _pipeline = pipeline;
        if (before is not null && before.Identity != pipeline.Identity) _changed.TrySetResult();
    }

    /// <summary>
    /// Traffic failed: a probe is due, and its result decides. One failed probe is enough if traffic has proved the same; otherwise it takes the
    /// usual number, without waiting between them.
    /// </summary>
    public void Suspect(Suspicion suspicion)
    {
        if (suspicion.IsProof) _isProven = true;
        _suspected.TrySetResult();
    }

    /// <summary>A request found no backend in the pool: a probe is due, in case this one is back.</summary>
    public void Want()
    {
        if (backend.Health != BackendState.Healthy) _suspected.TrySetResult();
    }

    public void Start()
    {
        var stop = _stop.Token;
        _running = Task.Run(() => RunAsync(stop), CancellationToken.None);
    }

    /// <summary>Waits until the first probe has ended or its time-out has passed.</summary>
    public async Task WaitForFirstAsync(CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_judged.Task, Task.Delay(_pipeline!.Options.Timeout, time, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Ends the loop and any probe under way, and waits until both have finished.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _judged.TrySetResult();
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var changed = _changed;
            var pipeline = _pipeline!;
            try
            {
                await ProbeAsync(pipeline, stop).ConfigureAwait(false);
                board.NoteProbed(backend);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogLoopFailed(e, backend.Pool, backend.Name);
            }

            _judged.TrySetResult();
            await WaitAsync(pipeline, changed.Task, stop).ConfigureAwait(false);
            if (changed.Task.IsCompleted) _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task ProbeAsync(ProbePipeline pipeline, CancellationToken stop)
    {
        var isSuspected = _suspected.Task.IsCompleted;
        if (isSuspected) _suspected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var isProven = _isProven;
        var startedAt = time.GetTimestamp();
        var result = await pipeline.RunAsync(backend, stop).ConfigureAwait(false);
        var duration = time.GetElapsedTime(startedAt);
        metrics.ProbeEnded(backend.Pool, backend.Name, result.Failure is null ? null : result.Evidence.ToString(), duration);
        backend.Probes.Add(new ProbeRecord(time.GetUtcNow(), duration, result.Failure, result.IsVoid));
        Tell(result, pipeline.Options.Rise);
        if (result.IsVoid) return;
        if (result.Evidence == Evidence.Refused) backend.NoteGone();
        // Once there is a verdict, the next probe waits for the interval.
        _isUrgent = result.Failure is not null && backend.Health != BackendState.Unhealthy && (isSuspected || _isUrgent);
        if (result.Failure is null && isProven) _isProven = false;
        await JudgeAsync(result.Failure, pipeline, isProven).ConfigureAwait(false);
    }

    // The first failure, and the first probe that says nothing about the backend, are logged for the operator; further ones add nothing until the backend
    // has recovered.
    private void Tell(ProbeResult result, int rise)
    {
        _good = result.Failure is null ? _good + 1 : 0;
        if (_good >= rise) (_isTold, _isVoidTold) = (false, false);
        if (result.Failure is null) return;
        ref var isTold = ref result.IsVoid ? ref _isVoidTold : ref _isTold;
        if (isTold || backend.IsDraining)
        {
            LogProbeFailed(backend.Pool, backend.Name, result.Failure);
            return;
        }

        isTold = true;
        LogFirstProbeFailed(backend.Pool, backend.Name, backend.Address, result.Failure);
    }

    private async Task JudgeAsync(string? failure, ProbePipeline pipeline, bool isProven)
    {
        switch (_streak.Count(failure, backend.Health, pipeline.Options, isProven, out var cause))
        {
            case ProbeTurn.Up:
                await board.CloseAsync(backend, cause).ConfigureAwait(false);
                break;
            case ProbeTurn.Down:
                (_isProven, _isUrgent) = (false, false);
                await board.IsolateAsync(backend, cause).ConfigureAwait(false);
                break;
            case ProbeTurn.None when failure is null && backend.Health != BackendState.Unhealthy:
                backend.NoteBack(); // From a failure of the data path.
                break;
        }
    }

    private async Task WaitAsync(ProbePipeline pipeline, Task changed, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var factor = 1 + (pipeline.Options.Jitter * ((2 * random()) - 1));
        var shortest = pipeline.Options.Interval < ShortestWait ? pipeline.Options.Interval : ShortestWait;
        var rested = Task.Delay(shortest, time, enough.Token);
        var due = Task.Delay(pipeline.Options.Interval * factor, time, enough.Token);
        if (!_isUrgent) await Task.WhenAny(changed, due, _suspected.Task).ConfigureAwait(false);
        if (!changed.IsCompleted && !due.IsCompleted) await Task.WhenAny(changed, due, rested).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
    }
}
