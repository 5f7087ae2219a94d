using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Pinning;

/// <summary>
/// The shared store as the data path uses it: every wait is bounded, and there is none while Polly's circuit breaker is open. Failures are counted
/// and logged once; they never fail a request.
/// </summary>
internal sealed partial class SharedPins : IDisposable
{
    // Longer than Break, so that the breaker admits each trial.
    private static readonly TimeSpan TrialInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(2);

    private readonly IPinStore _store;
    private readonly StickyWsMetrics _metrics;
    private readonly ILogger<SharedPins> _logger;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline<string?> _pipeline;
    private readonly ITimer _trials;
    private int _isLost;
    private int _isReturnDue;
    private volatile bool _isBroken;

    public SharedPins(IPinStore store, BackendRegistry registry, StickyWsMetrics metrics, TimeProvider time, ILogger<SharedPins> logger)
    {
        _store = store;
        _metrics = metrics;
        _logger = logger;
        _pipeline = new ResiliencePipelineBuilder<string?> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<string?>
            {
                FailureRatio = 0.5,
                MinimumThroughput = 2,
                SamplingDuration = Sampling,
                BreakDuration = Break,
                StateProvider = _state,
                ShouldHandle = static attempt => ValueTask.FromResult(attempt.Outcome.Exception is not null),
                OnOpened = opened => Lost(opened.Outcome.Exception),
                OnClosed = _ => Back(),
            })
            .AddTimeout(new TimeoutStrategyOptions { TimeoutGenerator = _ => ValueTask.FromResult(registry.Current.Options.Pins.StoreTimeout) })
            .Build();
        _trials = time.CreateLasting(static self => ((SharedPins)self!).Try(), this, TrialInterval, TrialInterval);
        _store.Saved += (key, backend) =>
        {
            if (PinKey.TryParse(key, out var pin)) Heard?.Invoke(pin, backend);
        };
    }

    /// <summary>Raised when another instance has saved a pin.</summary>
    public event Action<PinKey, string>? Heard;

    /// <summary>Raised when the store answers again. Its contents may have to be written anew.</summary>
    public event Action? Returned;

    /// <summary>Whether it has recently failed to answer.</summary>
    public bool IsLost => _isBroken || !IsAskable;

    /// <summary>Whether it is asked at all. While it is not, a timer tries it.</summary>
    public bool IsAskable => _state.CircuitState == CircuitState.Closed;

    /// <returns>Whether the store answered, and the backend's name if it has the pin.</returns>
    public async ValueTask<(bool IsAnswered, string? Backend)> FindAsync(PinKey key)
    {
        if (!IsAskable) return default;
        var outcome = await CallAsync("find", new Call(key.ToString()), FindAsync).ConfigureAwait(false);
        return (outcome.Exception is null, outcome.Result);
    }

    /// <returns>Whether the store has saved it.</returns>
    public async ValueTask<bool> SaveAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        if (!IsAskable) return false;
        var outcome = await CallAsync("save", new Call(key.ToString(), backend, lifetime), static async (store, call, token) =>
        {
            await store.SaveAsync(call.Key, call.Backend, call.Lifetime, token).ConfigureAwait(false);
            return null;
        }).ConfigureAwait(false);
        return outcome.Exception is null;
    }

    public void Dispose() => _trials.Dispose();

    private static ValueTask<string?> FindAsync(IPinStore store, Call call, CancellationToken token) => store.FindAsync(call.Key, token);

    private async ValueTask<Outcome<string?>> CallAsync(
        string operation, Call call, Func<IPinStore, Call, CancellationToken, ValueTask<string?>> action)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false);
        var outcome = await _pipeline.ExecuteOutcomeAsync(
            static (context, target) => AttemptAsync(target._store, target.call, target.action, context.CancellationToken),
            context,
            (_store, call, action)).ConfigureAwait(false);
        ResilienceContextPool.Shared.Return(context);
        Note(operation, outcome.Exception);
        return outcome;
    }

    // An open breaker closes only after a successful call. The trial is made here with a random key, not on a client's request, which would wait for
    // a store that is most likely still down.
    private void Try()
    {
        if (IsLost) _ = CallAsync("find", new Call(PinKey.Random().ToString()), FindAsync).AsTask();
    }

    // The breaker judges time-outs by their share; a broken connection counts from the first call on.
    private void Note(string operation, Exception? exception)
    {
        switch (exception)
        {
            case null:
                if (_isBroken) TellReturned();
                break;
            case BrokenCircuitException:
                break;
            case TimeoutRejectedException:
                _metrics.PinStoreFailed(operation, "timeout");
                break;
            default:
                _isReturnDue = 1;
                _isBroken = true;
                _metrics.PinStoreFailed(operation, exception.GetType().Name);
                break;
        }
    }

    // A store may ignore the token. Nothing would then observe how its call ends.
    private static async ValueTask<Outcome<string?>> AttemptAsync(
        IPinStore store, Call call, Func<IPinStore, Call, CancellationToken, ValueTask<string?>> action, CancellationToken token)
    {
        try
        {
            var task = action(store, call, token).AsTask();
            _ = task.ContinueWith(
                static late => _ = late.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            return Outcome.FromResult<string?>(await task.WaitAsync(token).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Whatever a store throws: it did not answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Outcome.FromException<string?>(e);
        }
    }

    // Opening again from half-open is not logged.
    private ValueTask Lost(Exception? exception)
    {
        _isReturnDue = 1;
        if (Interlocked.Exchange(ref _isLost, 1) == 0)
        {
            LogLost(exception is TimeoutRejectedException or null ? "no answer in time" : exception.Message);
        }

        return default;
    }

    private ValueTask Back()
    {
        TellReturned();
        if (Interlocked.Exchange(ref _isLost, 0) == 1) LogBack();
        return default;
    }

    // Both the breaker and the call that closed it get here; one event is enough.
    private void TellReturned()
    {
        _isBroken = false;
        if (Interlocked.Exchange(ref _isReturnDue, 0) == 1) Returned?.Invoke();
    }

    private readonly record struct Call(string Key, string Backend = "", TimeSpan Lifetime = default);
}
