using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Affinity;

/// <summary>
/// The shared store as the data path sees it: a bounded wait, and none at all while Polly's circuit breaker is open. What goes wrong in it is counted, said once, and costs nobody an answer.
/// </summary>
internal sealed partial class SharedPins : IDisposable
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Sampling = TimeSpan.FromSeconds(2);

    private readonly IPinStore _store;
    private readonly StickyWsMetrics _metrics;
    private readonly ILogger<SharedPins> _logger;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline _pipeline;
    private readonly ITimer _trials;
    private int _isLost;

    public SharedPins(IPinStore store, BackendRegistry registry, StickyWsMetrics metrics, TimeProvider time, ILogger<SharedPins> logger)
    {
        _store = store;
        _metrics = metrics;
        _logger = logger;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
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
        _trials = time.CreateTimer(static self => ((SharedPins)self!).Try(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _store.Saved += (key, backend) =>
        {
            if (PinKey.TryParse(key, out var pin)) Heard?.Invoke(pin, backend);
        };
    }

    /// <summary>Raised when another instance has saved a pin.</summary>
    public event Action<PinKey, string>? Heard;

    /// <summary>Raised when the store answers again: what it should hold may have to be written anew.</summary>
    public event Action? Returned;

    /// <summary>Whether it is not asked at the moment.</summary>
    public bool IsLost => _state.CircuitState != CircuitState.Closed;

    /// <returns>Whether the store answered, and with which backend.</returns>
    public ValueTask<(bool IsAnswered, string? Backend)> FindAsync(PinKey key) => IsLost ? default : AskAsync(key);

    public void Dispose() => _trials.Dispose();

    private async ValueTask<(bool IsAnswered, string? Backend)> AskAsync(PinKey key)
    {
        try
        {
            return (true, await _pipeline.ExecuteAsync(static (call, token) => Bounded(call._store.FindAsync(call.Key, token), token), (_store, Key: key.ToString())).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Whatever a store throws, it did not answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed("find", e);
            return default;
        }
    }

    /// <returns>Whether the store has it.</returns>
    public async ValueTask<bool> SaveAsync(PinKey key, string backend, TimeSpan lifetime)
    {
        if (IsLost) return false;
        try
        {
            await _pipeline.ExecuteAsync(
                static async (call, token) => await Bounded(Saved(call._store.SaveAsync(call.Key, call.backend, call.lifetime, token)), token).ConfigureAwait(false),
                (_store, Key: key.ToString(), backend, lifetime)).ConfigureAwait(false);
            return true;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed("save", e);
            return false;
        }
    }

    private static async ValueTask<bool> Saved(ValueTask saving)
    {
        await saving.ConfigureAwait(false);
        return true;
    }

    // A store may overlook the token.
    private static async ValueTask<T> Bounded<T>(ValueTask<T> call, CancellationToken token)
        => call.IsCompleted ? await call.ConfigureAwait(false) : await call.AsTask().WaitAsync(token).ConfigureAwait(false);

    // A circuit that is open stays so until somebody calls. That is no client, which would wait for a store that is most likely still down; what is asked for is nobody's pin.
    private void Try() => _ = AskAsync(PinKey.Random()).AsTask();

    private void Failed(string operation, Exception exception)
    {
        if (exception is not BrokenCircuitException) _metrics.PinStoreFailed(operation, exception is TimeoutRejectedException ? "timeout" : exception.GetType().Name);
    }

    // Half-open and open again is no news.
    private ValueTask Lost(Exception? exception)
    {
        _trials.Change(Break, Break);
        if (Interlocked.Exchange(ref _isLost, 1) == 0) LogLost(exception?.Message ?? "no answer", exception is TimeoutRejectedException ? null : exception);
        return default;
    }

    private ValueTask Back()
    {
        _trials.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (Interlocked.Exchange(ref _isLost, 0) == 1) LogBack();
        Returned?.Invoke();
        return default;
    }
}
