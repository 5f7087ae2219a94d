using Microsoft.Extensions.Logging;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// Probes one backend for as long as it is configured: probe, judge, wait, one after the other, so that probes of one backend never overlap.
/// Owned by the monitor, which starts it once and stops it once, by itself or with all others.
/// </summary>
internal sealed partial class ProbeLoop(
    Backend backend, BreakerBoard board, TimeProvider time, Func<double> random, ILogger logger, CancellationToken stopping) : IDisposable
{
    private readonly ProbeStreak _streak = new();
    private readonly TaskCompletionSource _judged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ProbePipeline? _pipeline;
    private Task _running = Task.CompletedTask;

    /// <summary>Takes over how to probe, from the next probe on; that comes at once when it is another one than before.</summary>
    public void Configure(ProbePipeline pipeline)
    {
        var before = _pipeline;
        _pipeline = pipeline;
        if (before is not null && before.Identity != pipeline.Identity) _changed.TrySetResult();
    }

    public void Start()
    {
        var stop = _stop.Token;
        _running = Task.Run(() => RunAsync(stop), CancellationToken.None);
    }

    /// <summary>Waits until the first probe has ended or its time-out is over.</summary>
    public async Task WaitForFirstAsync(CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_judged.Task, Task.Delay(_pipeline!.Options.Timeout, time, enough.Token));
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Ends the loop and a probe under way, and waits until nothing of it is left.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
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
                await ProbeAsync(pipeline, stop);
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
            await WaitAsync(pipeline, changed.Task, stop);
            if (changed.Task.IsCompleted) _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task ProbeAsync(ProbePipeline pipeline, CancellationToken stop)
    {
        var failure = await pipeline.RunAsync(backend, stop);
        if (failure is not null) LogProbeFailed(backend.Pool, backend.Name, failure);
        switch (_streak.Count(failure, backend.State, pipeline.Options, out var cause))
        {
            case ProbeTurn.Up:
                await board.CloseAsync(backend, cause);
                break;
            case ProbeTurn.Down:
                await board.IsolateAsync(backend, cause);
                break;
            case ProbeTurn.None when failure is null && backend.State != BackendState.Unhealthy:
                backend.NoteBack(); // From a failure of the data path.
                break;
        }
    }

    private async Task WaitAsync(ProbePipeline pipeline, Task changed, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var factor = 1 + (pipeline.Options.Jitter * ((2 * random()) - 1));
        await Task.WhenAny(changed, Task.Delay(pipeline.Options.Interval * factor, time, enough.Token));
        await enough.CancelAsync();
    }
}
