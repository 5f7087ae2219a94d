using Polly;
using Polly.CircuitBreaker;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// One backend's circuit breaker: work is counted into it, probes open and close it by hand, and its changes are what the registry learns.
/// A failure is the text of its cause, a success is <see langword="null"/>, so that counting makes no exception.
/// </summary>
/// <remarks>
/// The circuit is never disposed: a verdict may still be on its way to a breaker that a reload replaced, and it holds nothing but memory.
/// </remarks>
internal sealed class BackendBreaker : IDisposable
{
    private readonly Lock _reporting = new();
    private readonly Backend _backend;
    private readonly BackendRegistry _registry;
    private readonly TimeProvider _time;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly CircuitBreakerManualControl _control = new();
    private readonly ResiliencePipeline<string?> _circuit;
    private ITimer? _rest;
    private bool _isTrial;
    private bool _isDisposed;

    public BackendBreaker(Backend backend, BreakerRules rules, BackendRegistry registry, TimeProvider time)
    {
        _backend = backend;
        _registry = registry;
        _time = time;
        Rules = rules;
        _circuit = new ResiliencePipelineBuilder<string?> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<string?>
            {
                FailureRatio = rules.FailureRatio,
                MinimumThroughput = rules.MinimumThroughput,
                SamplingDuration = rules.SamplingDuration,
                BreakDuration = rules.BreakDuration,
                ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Result is not null),
                StateProvider = _state,
                ManualControl = _control,
                OnOpened = OnOpened,
                OnClosed = OnClosed,
            })
            .Build();
    }

    public BreakerRules Rules { get; }

    /// <summary>
    /// Counts what the data path saw. While the backend is unhealthy nothing counts: what ends then began before, and with probes only they
    /// bring it back.
    /// </summary>
    /// <returns>Completed at once, unless the outcome opens or closes the circuit.</returns>
    public ValueTask CountAsync(string? failure)
    {
        if (!Rules.CountsWork || _backend.State == BackendState.Unhealthy) return ValueTask.CompletedTask;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false);
        var counting = _circuit.ExecuteOutcomeAsync(static (_, outcome) => Outcome.FromResultAsValueTask(outcome), context, failure);
        if (!counting.IsCompletedSuccessfully) return FinishAsync(counting, context);
        _ = counting.Result;
        ResilienceContextPool.Shared.Return(context);
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens it until <see cref="CloseAsync"/>: the probes' verdict.</summary>
    public async Task IsolateAsync(string cause)
    {
        await _control.IsolateAsync();
        lock (_reporting)
        {
            if (_state.CircuitState != CircuitState.Closed) _registry.Report(_backend, BackendState.Unhealthy, cause);
        }
    }

    /// <summary>Closes it and forgets what it counted: the probes' verdict.</summary>
    public async Task CloseAsync(string cause)
    {
        await _control.CloseAsync();

        // Work may have opened it again by now; then its own report is right, and comes after this one.
        lock (_reporting)
        {
            if (_state.CircuitState == CircuitState.Closed) _registry.Report(_backend, BackendState.Healthy, cause);
        }
    }

    public void Dispose()
    {
        lock (_reporting)
        {
            _isDisposed = true;
            _rest?.Dispose();
        }
    }

    private static async ValueTask FinishAsync(ValueTask<Outcome<string?>> counting, ResilienceContext context)
    {
        await counting;
        ResilienceContextPool.Shared.Return(context);
    }

    private ValueTask OnOpened(OnCircuitOpenedArguments<string?> args)
    {
        if (args.IsManual) return default;
        lock (_reporting)
        {
            // Closed by a probe before this could be told.
            if (_isDisposed || _state.CircuitState == CircuitState.Closed) return default;
            _rest?.Dispose();
            if (!Rules.IsProbed) _rest = _time.CreateTimer(static self => ((BackendBreaker)self!).Try(), this, Rules.BreakDuration, Timeout.InfiniteTimeSpan);
            var cause = _isTrial ? "data path: the first work after the rest failed too" : $"data path: {Rules.FailureRatio:0.##%} or more failed";
            _isTrial = false;
            _registry.Report(_backend, BackendState.Unhealthy, $"{cause}, the last: {args.Outcome.Result}");
        }

        return default;
    }

    private ValueTask OnClosed(OnCircuitClosedArguments<string?> args)
    {
        if (args.IsManual) return default;
        lock (_reporting)
        {
            if (_isDisposed || _state.CircuitState != CircuitState.Closed) return default;
            _rest?.Dispose();
            _isTrial = false;
            _registry.Report(_backend, BackendState.Healthy, "data path: the first work after the rest was good");
        }

        return default;
    }

    // The circuit lets one outcome through from now on, and that decides.
    private void Try()
    {
        lock (_reporting)
        {
            if (_isDisposed || _state.CircuitState != CircuitState.Open) return;
            _isTrial = true;
            _registry.Report(_backend, BackendState.Unknown, $"data path: rested for {Rules.BreakDuration.TotalSeconds:0.###} s, and is tried again");
        }
    }
}
