using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pipeline;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

/// <summary>
/// Plain HTTP: one request, one decision, one response. YARP's forwarder moves the bytes; the choice of backends, retries, the target and local
/// replies to failures are handled here.
/// </summary>
internal sealed partial class RequestProxy(
    QuietForwarder forwarder,
    BoundClients clients,
    ForwardedHeaders forwarded,
    IOutcomeSink outcomes,
    StickyWsMetrics metrics,
    FailureLog failures,
    ShortageLog shortages,
    Accounts accounts,
    TimeProvider time,
    ILogger<RequestProxy> logger)
{
    private const string OutOfTime = nameof(AttemptFailure.OutOfTime);

    /// <summary>Forwards a request to a backend of the decision's pool and passes the response back. It always responds.</summary>
    public async Task ForwardAsync(HttpContext context, Decision decision, string target)
    {
        var isTold = accounts.HasRequests;
        var isWatched = accounts.IsWatched;
        var startedAt = isTold || isWatched || metrics.MeasuresRequests ? time.GetTimestamp() : (long?)null;
        using var timer = decision.Pool.Options.Timeouts.Request is { } longest ? new CancellationTokenSource(longest, time) : null;
        using var request = new ProxiedRequest(context, decision, target) { Deadline = timer?.Token ?? default, Bound = clients.Find(context, decision.Pool) };
        var (isReset, hasThrown) = (false, true);
        try
        {
            // A reverse proxy is no tunnel to anywhere (RFC 9110 section 9.3.6).
            if (HttpMethods.IsConnect(context.Request.Method))
                await ErrorAnswer.WriteAsync(context, Refusal.NotProxied, context.RequestAborted).ConfigureAwait(false);
            else if (BoundClients.TryRefuse(context)) isReset = true;
            else if (!ClientTarget.IsWellFormed(target)) await ErrorAnswer.WriteAsync(context, Refusal.BadTarget, context.RequestAborted).ConfigureAwait(false);
            else if (!target.StartsWith('/')) await ErrorAnswer.WriteAsync(context, Refusal.NotProxied, context.RequestAborted).ConfigureAwait(false);
            else if (!await request.MoveOnAsync().ConfigureAwait(false)) await RefuseAsync(request).ConfigureAwait(false);
            else
            {
                using var exchange = new Exchange(request, clients.Use(request));
                var error = await exchange.SendAsync(forwarder, new TargetTransformer(request, forwarded)).ConfigureAwait(false);
                if (error != ForwarderError.None && !IsAnsweredWithoutBody(request, error)) await EndFailedAsync(request, error).ConfigureAwait(false);
            }

            hasThrown = false;
        }
        finally
        {
            if (startedAt is { } start)
            {
                var error = ErrorTypeOf(request);
                var line = isTold || (isWatched && (isReset || error is not null)) ? LineOf(request, error, isReset, isTold) : null;
                if (isWatched && !isReset && (!hasThrown || error == OutOfTime)) Count(request, error, time.GetElapsedTime(start));
                if (!hasThrown || context.Response.HasStarted) NoteEnd(request, error, start, line, isReset);
                else NoteLater(request, error, start, line);
            }
        }
    }

    // Only then it is known what the client gets: the application, or the server, turns the exception into a response. By then nothing tells any more that
    // the application's time-out has passed.
    private void NoteLater(ProxiedRequest request, string? error, long start, AccessLine? line) => request.Context.Response.OnCompleted(() =>
    {
        NoteEnd(request, error, start, line, isReset: false);
        return Task.CompletedTask;
    });

    private void NoteEnd(ProxiedRequest request, string? error, long start, AccessLine? line, bool isReset)
    {
        var (answer, duration) = (request.Context.Response, time.GetElapsedTime(start));
        if (line is not null)
        {
            (line.Duration, line.BytesToClient) = (duration, answer.ContentLength);
            line.Status = isReset && !answer.HasStarted ? 0 : answer.StatusCode;
            accounts.Write(line);
        }

        if (!isReset) metrics.RequestEnded(request.Decision.Pool.Name, request.Backend?.Name, answer.StatusCode, error, duration);
    }

    // The HTTP client chooses among its connections, and bodies are not counted: lines tell what was announced.
    private static AccessLine LineOf(ProxiedRequest request, string? error, bool isReset, bool isLogged)
    {
        var context = request.Context;
        var (client, asked) = (PipelineFacts.ClientOf(context, LaneNames.Http), PipelineFacts.RequestOf(context, request.Target));
        return new AccessLine
        {
            Event = AccessEvent.Request,
            IsLogged = isLogged,
            Client = client.Tuple,
            ForwardedClient = request.Decision.Client is { } address && !address.Equals(client.Tuple?.SourceAddress) ? address : null,
            Pool = request.Pool.Name,
            Backend = request.Backend?.Name,
            Lane = client.Lane,
            TlsVersion = client.TlsVersion,
            ChosenBy = request.Decision.ChosenBy,
            Pin = request.Decision.PinOutcome,
            BytesToBackend = context.Request.ContentLength,
            Outcome = isReset ? "Refused" : error,
            TraceId = HandshakeAccount.IdOf(Activity.Current),
            ConnectionId = client.ConnectionId,
            Method = asked.Method,
            Host = asked.Host,
            Path = asked.Path,
        };
    }

    // A client that leaves says nothing about its backend.
    private static void Count(ProxiedRequest request, string? error, TimeSpan duration)
    {
        if (request.Backend is { } backend && error != nameof(AttemptFailure.ClientGone))
            backend.NoteRequest(error is not null, duration);
    }

    // At the application's time-out the client is still there.
    private static string? ErrorTypeOf(ProxiedRequest request)
        => request.Failure == AttemptFailure.ClientGone && Abandonment.IsTimedOut(request.Context) ? OutOfTime : request.ErrorType;

    private Task RefuseAsync(ProxiedRequest request)
    {
        if (request.Failure is AttemptFailure.ClientGone or AttemptFailure.OutOfTime) return EndWait(request);
        if (request.Why is NoBackendReason.NoneEligible or NoBackendReason.Held) outcomes.Missed(request.Pool);
        var refusal = request.Failure.IsOurs() ? request.Decision.Refuse(Refusal.NoRoom) : request.Decision.Refusal;
        return ErrorAnswer.WriteAsync(request.Context, refusal, request.Context.RequestAborted);
    }

    // Nobody waits for the answer any more.
    private static Task EndWait(ProxiedRequest request)
    {
        var context = request.Context;
        if (!context.RequestAborted.IsCancellationRequested) return ErrorAnswer.WriteAsync(context, Refusal.OutOfTime, context.RequestAborted);
        Abandonment.End(context);
        return Task.CompletedTask;
    }

    // The response was passed on; the rest of the request was not wanted.
    private static bool IsAnsweredWithoutBody(ProxiedRequest request, ForwarderError error)
        => request.Failure == AttemptFailure.None
            && error is ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination or ForwarderError.RequestBodyCanceled
            && request.Content is { IsUnwanted: true };

    private Task EndFailedAsync(ProxiedRequest request, ForwarderError error)
    {
        var context = request.Context;
        var backend = request.Backend!;
        if (request.Failure == AttemptFailure.None) request.Failure = AfterAnswer(error, request);
        var exception = context.GetForwarderErrorFeature()?.Exception;
        LogFailed(backend.Pool, backend.Name, request.Failure, error, exception);
        var refusal = request.Failure.ToRefusal(context.Response.StatusCode);
        if (request.Failure.IsOurs())
        {
            shortages.Note(backend, exception);
        }
        else if (!Abandonment.IsTimedOut(context))
        {
            if (request.Failure >= AttemptFailure.StaleConnection)
                failures.Note(backend, "request", context.Response.HasStarted ? null : refusal.Status, refusal.Text, exception);
            else if (error == ForwarderError.ResponseBodyCanceled && !context.RequestAborted.IsCancellationRequested)
                failures.Note(backend, "request", null, FailureLog.Standstill);
        }

        if (context.RequestAborted.IsCancellationRequested || request is { Failure: AttemptFailure.ClientGone, Content.ClientFailure: not null })
        {
            Abandonment.End(context);
            return Task.CompletedTask;
        }

        var isRefused = request.Why == NoBackendReason.Held || request.Decision.IsCrowdedOut || request.Failure.IsOurs();
        if (isRefused && !context.Response.HasStarted) return RefuseAsync(request);
        return ErrorAnswer.WriteAsync(context, refusal, context.RequestAborted);
    }

    // The handler reported a success when the response head arrived; a later failure is a separate outcome.
    private AttemptFailure AfterAnswer(ForwarderError error, ProxiedRequest request)
    {
        var aborted = request.Context.RequestAborted;
        var failure = error switch
        {
            _ when request.IsOutOfTime => AttemptFailure.OutOfTime,

            // Cancelled by the activity time-out, before there was a byte to pass on. Later on the client may have been the one that read nothing.
            ForwarderError.ResponseBodyCanceled when !aborted.IsCancellationRequested && !request.Context.Response.HasStarted => AttemptFailure.BackendSilent,
            ForwarderError.ResponseBodyDestination => AttemptFailure.BrokenAnswer,
            // While a body was being inspected. After a truncated body the forwarder itself aborts.
            ForwarderError.ResponseHeaders when aborted.IsCancellationRequested => AttemptFailure.ClientGone,
            ForwarderError.ResponseHeaders => AttemptFailure.BadAnswer,
            _ => AttemptFailure.ClientGone,
        };
        if (failure >= AttemptFailure.BackendSilent) outcomes.Failed(request.Backend!, Suspicion.Of(failure.ToEvidence(null), request.Decision.Client));
        return failure;
    }

    [LoggerMessage(EventIds.RequestFailed, LogLevel.Debug,
        "Request of pool {Pool} on backend {Backend} failed: {Failure} ({Error})",
        EventName = "RequestFailed")]
    private partial void LogFailed(string pool, string backend, AttemptFailure failure, ForwarderError error, Exception? exception);
}
