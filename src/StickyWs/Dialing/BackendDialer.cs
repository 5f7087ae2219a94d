using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Timeout;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>
/// Connects to the first reachable backend of a choice, moving from one to the next at once. Polly's time-out bounds each attempt. Nothing is sent
/// before a connect succeeds, so every attempt may be repeated elsewhere.
/// </summary>
internal sealed partial class BackendDialer
{
    private static readonly ResiliencePropertyKey<BackendChoice> Choice = new("choice");

    private readonly IOutcomeSink _outcomes;
    private readonly StickyWsMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<BackendDialer> _logger;
    private readonly DescriptorBudget? _budget;
    private readonly ShortageLog _shortages;
    private readonly ResiliencePipeline _timeout;

    public BackendDialer(
        IOutcomeSink outcomes,
        StickyWsMetrics metrics,
        ShortageLog shortages,
        TimeProvider time,
        ILogger<BackendDialer> logger,
        DescriptorBudget? budget = null)
    {
        _outcomes = outcomes;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _budget = budget;
        _shortages = shortages;
        _timeout = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(new TimeoutStrategyOptions
            {
                TimeoutGenerator = static args => ValueTask.FromResult(args.Context.Properties.GetValue(Choice, null!).Pool.Options.Timeouts.Connect),
            })
            .Build();
    }

    /// <summary>
    /// Dials until a backend accepts or none is left. In the latter case, returns the outcome of the last attempt. Where the limits of the backends are
    /// reached, it waits for a place.
    /// </summary>
    public async ValueTask<DialOutcome<TConnection>> DialAsync<TConnection>(
        BackendChoice choice, IBackendConnector<TConnection> connector, CancellationToken cancellationToken)
        where TConnection : BackendConnection
    {
        var last = new DialOutcome<TConnection>(DialResult.NoBackend);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Choice, choice);
        try
        {
            while (true)
            {
                var attempt = await AttemptAsync(choice, connector, context).ConfigureAwait(false);
                if (attempt.Result == DialResult.NoBackend) return last;
                if (!attempt.IsRetryable) return attempt;
                last = attempt;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new DialOutcome<TConnection>(DialResult.Abandoned);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async ValueTask<DialOutcome<TConnection>> AttemptAsync<TConnection>(
        BackendChoice choice, IBackendConnector<TConnection> connector, ResilienceContext context)
        where TConnection : BackendConnection
    {
        if (!choice.TryNext(out var lease))
        {
            var waited = choice.Why == NoBackendReason.Busy ? await WaitAsync(choice, connector, context.CancellationToken).ConfigureAwait(false) : null;
            if (waited is null) return new DialOutcome<TConnection>(DialResult.NoBackend);
            lease = waited.Value;
        }

        var startedAt = _time.GetTimestamp();
        string? errorType = DialError.Abandoned;
        var isLeaseGivenOn = false;
        try
        {
            if (_budget?.TryTakeForBackend() == false)
            {
                errorType = nameof(SocketError.TooManyOpenSockets);
                _metrics.DialFailed(lease.Backend.Pool, lease.Backend.Name, errorType);
                return new DialOutcome<TConnection>(DialResult.OutOfResources);
            }

            var connecting = _timeout.ExecuteAsync(
                static (context, target) =>
                {
                    var tls = context.Properties.GetValue(Choice, null!).Pool.Options.Tls;
                    return target.Connector.ConnectAsync(target.Backend, tls, context.CancellationToken);
                },
                context,
                (Connector: connector, lease.Backend));
            var isOpenAtOnce = lease.Backend.EndPoint is not null;
            var connection = await DescriptorBudget.WatchAsync(_budget, connecting, isOpenAtOnce).ConfigureAwait(false);
            (isLeaseGivenOn, errorType) = (true, null);
            return new DialOutcome<TConnection>(DialResult.Connected, connection, lease);
        }
        catch (TimeoutRejectedException)
        {
            errorType = DialError.Timeout;
            return Failed<TConnection>(lease.Backend, DialResult.TimedOut, errorType, Suspicion.Of(Evidence.ConnectTimedOut, choice.Client));
        }
        catch (SocketException) when (context.CancellationToken.IsCancellationRequested)
        {
            return new DialOutcome<TConnection>(DialResult.Abandoned); // During the look-up of the name.
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException
            or AuthenticationException or CryptographicException or OutOfMemoryException)
        {
            errorType = DialError.TypeOf(e);
            return Failed<TConnection>(lease.Backend, e, errorType, choice);
        }
        finally
        {
            _metrics.DialEnded(lease.Backend.Pool, lease.Backend.Name, connector.Lane, errorType, _time.GetElapsedTime(startedAt));
            if (!isLeaseGivenOn) lease.Dispose();
        }
    }

    private static async ValueTask<Lease?> WaitAsync<TConnection>(
        BackendChoice choice, IBackendConnector<TConnection> connector, CancellationToken cancellationToken)
        where TConnection : BackendConnection
    {
        try
        {
            return await choice.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await connector.ReturnAsync().ConfigureAwait(false);
        }
    }

    private DialOutcome<TConnection> Failed<TConnection>(Backend backend, Exception failure, string errorType, BackendChoice choice)
        where TConnection : BackendConnection
    {
        var evidence = EvidenceExtensions.OfConnect(failure);
        if (!evidence.IsOurs())
        {
            var suspicion = new Suspicion(evidence, failure.Message, choice.Client);
            return Failed<TConnection>(backend, DialResult.Unreachable, errorType, suspicion, failure);
        }

        _shortages.Note(backend, failure);
        _metrics.DialFailed(backend.Pool, backend.Name, errorType);
        return new DialOutcome<TConnection>(evidence == Evidence.OutOfReach ? DialResult.OutOfReach : DialResult.OutOfResources);
    }

    private DialOutcome<TConnection> Failed<TConnection>(
        Backend backend, DialResult result, string errorType, Suspicion suspicion, Exception? failure = null)
        where TConnection : BackendConnection
    {
        _outcomes.Failed(backend, suspicion);
        _metrics.DialFailed(backend.Pool, backend.Name, errorType);
        LogDialFailed(backend.Pool, backend.Name, suspicion.Cause);
        return new DialOutcome<TConnection>(result) { Tried = backend, Failure = failure };
    }

    [LoggerMessage(EventIds.DialFailed, LogLevel.Debug, "Backend {Pool}/{Backend} could not be reached: {Cause}", EventName = "DialFailed")]
    private partial void LogDialFailed(string pool, string backend, string cause);
}
