using Polly;
using Polly.CircuitBreaker;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Health;

/// <summary>
/// One backend's circuit breaker; its changes are reported to the registry. In a pool with probes, only they open and close it. In a pool without
/// probes it counts traffic: failures that prove the backend's state immediately, those that a client may have caused only after several clients saw
/// them and nothing succeeded for a whole window. A success is counted as the default <see cref="Suspicion"/>, so that counting throws no exception.
/// </summary>
/// <remarks>
/// The circuit is never disposed: a verdict may still be on its way to a breaker that a reload has replaced, and it holds only memory.
/// </remarks>
internal sealed class BackendBreaker : IDisposable
{
    // The longest duration that Polly accepts: a comeback closes the circuit, never the timer.
    private static readonly TimeSpan UntilClosed = TimeSpan.FromDays(1);

    private readonly Lock _reporting = new();
    private readonly Backend _backend;
    private readonly BackendRegistry _registry;
    private readonly TimeProvider _time;
    private readonly Action<Task> _watch;
    private readonly Witnesses _witnesses;
    private readonly CancellationTokenSource _stop = new();
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly CircuitBreakerManualControl _control = new();
    private readonly ResiliencePipeline<Suspicion> _circuit;
    private bool _isDisposed;

    /// <param name="backend">The backend.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="check">Connects to the backend for the comeback.</param>
    /// <param name="registry">Receives its changes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="watch">Observes work that is not awaited, so that its failures are not lost.</param>
    public BackendBreaker(Backend backend, BreakerRules rules, ConnectCheck check, BackendRegistry registry, TimeProvider time, Action<Task> watch)
    {
        _backend = backend;
        _registry = registry;
        _time = time;
        _watch = watch;
        (Rules, Check) = (rules, check);
        _witnesses = new Witnesses(rules.MinimumClients, rules.SamplingDuration, rules.MinimumThroughput, time);
        _circuit = new ResiliencePipelineBuilder<Suspicion> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Suspicion>
            {
                FailureRatio = rules.FailureRatio,
                MinimumThroughput = rules.MinimumThroughput,
                SamplingDuration = rules.SamplingDuration,
                BreakDuration = UntilClosed,
                ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Result.Evidence != Evidence.None),
                StateProvider = _state,
                ManualControl = _control,
                OnOpened = OnOpened,
            })
            .Build();
    }

    public BreakerRules Rules { get; }

    /// <summary>How the balancer itself connects; follows the configuration.</summary>
    public ConnectCheck Check { get; set; }

    private bool CountsTraffic => Rules is { CountsWork: true, IsProbed: false };

    /// <summary>Counts a success. If traffic had taken the backend out, it is back in use.</summary>
    /// <returns>Completed synchronously, unless it changes the circuit.</returns>
    public ValueTask SucceededAsync()
    {
        if (!CountsTraffic) return default;
        if (_backend.Health == BackendState.Unhealthy) return new ValueTask(CloseAsync("traffic: it answered"));
        return _witnesses.Clear() ? ForgetAsync() : CountAsync(default);
    }

    /// <summary>Counts a failure, as far as it is evidence.</summary>
    /// <returns>Completed synchronously, unless it opens the circuit.</returns>
    public ValueTask FailedAsync(Suspicion suspicion)
    {
        if (!CountsTraffic || _backend.Health == BackendState.Unhealthy) return default;
        var failures = suspicion.IsProof ? 1 : _witnesses.Note(suspicion.Client);
        return failures == 1 ? CountAsync(suspicion) : CountAsync(suspicion, failures);
    }

    /// <summary>Opens it until <see cref="CloseAsync"/>: the probes' verdict.</summary>
    public async Task IsolateAsync(string cause)
    {
        await _control.IsolateAsync().ConfigureAwait(false);
        lock (_reporting)
        {
            if (_state.CircuitState == CircuitState.Closed) return;
            _registry.Report(_backend, BackendState.Unhealthy, cause);
            _registry.Confirm(_backend);
        }
    }

    /// <summary>A connect of the balancer's own has failed, too.</summary>
    public void Confirm() => _registry.Confirm(_backend);

    /// <summary>Closes it and discards its counts.</summary>
    public async Task CloseAsync(string cause)
    {
        _witnesses.Clear();
        await _control.CloseAsync().ConfigureAwait(false);

        // If traffic has opened it again meanwhile, that report is right, and comes after this one.
        lock (_reporting)
        {
            if (_state.CircuitState == CircuitState.Closed) _registry.Report(_backend, BackendState.Healthy, cause);
        }
    }

    public void Dispose()
    {
        lock (_reporting)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        _stop.Cancel();
        _stop.Dispose();
    }

    private async ValueTask CountAsync(Suspicion suspicion, int times)
    {
        for (var i = 0; i < times; i++) await CountAsync(suspicion).ConfigureAwait(false);
    }

    // An open circuit throws instead of counting.
    private ValueTask CountAsync(Suspicion suspicion)
    {
        if (_state.CircuitState != CircuitState.Closed) return default;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false);
        var counting = _circuit.ExecuteOutcomeAsync(static (_, outcome) => Outcome.FromResultAsValueTask(outcome), context, suspicion);
        if (!counting.IsCompletedSuccessfully) return FinishAsync(counting, context);
        _ = counting.Result;
        ResilienceContextPool.Shared.Return(context);
        return default;
    }

    private static async ValueTask FinishAsync(ValueTask<Outcome<Suspicion>> counting, ResilienceContext context)
    {
        await counting.ConfigureAwait(false);
        ResilienceContextPool.Shared.Return(context);
    }

    // What was counted turned out to be no evidence.
    private async ValueTask ForgetAsync()
    {
        await _control.CloseAsync().ConfigureAwait(false);
        await CountAsync(default).ConfigureAwait(false);
    }

    private ValueTask OnOpened(OnCircuitOpenedArguments<Suspicion> args)
    {
        if (args.IsManual) return default;
        lock (_reporting)
        {
            if (_isDisposed || _state.CircuitState == CircuitState.Closed) return default;
            var seen = args.Outcome.Result;
            if (seen.IsProof)
            {
                var cause = $"traffic: {Rules.FailureRatio:0.##%} or more failed, the last: {seen.Cause}";
                _registry.Report(_backend, BackendState.Unhealthy, cause, isHearsay: true);
            }
            else if (!_registry.TrySuspend(
                _backend,
                $"traffic: nothing succeeded for {Rules.SamplingDuration.TotalSeconds:0.#} s, "
                    + $"and {Rules.MinimumClients} clients or more saw it fail, the last: {seen.Cause}"))
            {
                _witnesses.Clear();
                _watch(_control.CloseAsync()); // Not awaited: Polly closes it after this has returned.
                return default;
            }

            using var _ = Timers.LeaveFlow(); // It outlives the request that ended the backend's work.
            _watch(new Comeback(this, _backend, _time).RunAsync(seen.IsProof, Rules.BreakDuration, _stop.Token));
        }

        return default;
    }
}

/// <summary>The settings of a backend's breaker, for comparison: a reload that changes none of them keeps the breaker and its counts.</summary>
internal sealed record BreakerRules(
    bool CountsWork,
    double FailureRatio,
    int MinimumThroughput,
    int MinimumClients,
    TimeSpan SamplingDuration,
    TimeSpan BreakDuration,
    bool IsProbed)
{
    public static BreakerRules Of(HealthOptions health)
    {
        var passive = health.Passive;
        return new(
            passive.Enabled,
            passive.FailureRatio,
            passive.MinimumThroughput,
            passive.MinimumClients,
            passive.SamplingDuration,
            passive.BreakDuration,
            health.Probe is not null);
    }
}
