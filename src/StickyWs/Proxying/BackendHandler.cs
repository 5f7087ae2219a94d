using System.Net;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

/// <summary>
/// Sends a request to its backend, and repeats it there or on the next one where that is harmless: if nothing of it was sent, if the backend says
/// that it did not process it, or, once, if a safe request without a body got no response. It does not judge backends; it reports what it saw.
/// </summary>
internal sealed partial class BackendHandler(
    HttpMessageHandler inner,
    IOutcomeSink outcomes,
    PriorKnowledge priorKnowledge,
    StickyWsMetrics metrics,
    ILogger<BackendHandler> logger) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        if (!message.Options.TryGetValue(ProxiedRequest.Key, out var request)) throw new InvalidOperationException("Not a proxied request.");
        request.Begin(message, cancellationToken);
        while (true)
        {
            var backend = request.Backend!;
            request.Announce(message);
            request.Content?.BeginAttempt();
            try
            {
                var isHttp2 = IsGrpcInClear(backend, request) && await SpeaksHttp2Async(backend, request, cancellationToken).ConfigureAwait(false);
                (message.Version, message.VersionPolicy) = isHttp2 ? (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact) : VersionFor(request);
                var response = Checked(await base.SendAsync(message, cancellationToken).ConfigureAwait(false));
                request.Failure = AttemptFailure.None;
                request.Content?.Settle();
                outcomes.Succeeded(backend);
                return response;
            }
            catch (Exception e)
            {
                Report(backend, request, e, cancellationToken);
                if (!await request.TryRetryAsync(cancellationToken).ConfigureAwait(false)) throw;
                metrics.Retried(backend.Pool, backend.Name);
                LogRetried(backend.Pool, backend.Name, request.Backend!.Name, request.Failure, e);
                message.RequestUri = ClientTarget.At(request.Backend, request.Target);
            }
        }
    }

    // A final response has a status of 200 or more; 101 is final only for a request that asked to switch protocols, and none here does.
    private static HttpResponseMessage Checked(HttpResponseMessage response)
    {
        if ((int)response.StatusCode >= 200) return response;
        response.Dispose();
        throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The backend sent an unsolicited {(int)response.StatusCode}.");
    }

    private static (Version Version, HttpVersionPolicy Policy) VersionFor(ProxiedRequest request) => request.Pool.Options.HttpVersion switch
    {
        BackendHttpVersion.Http1 => (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact),
        BackendHttpVersion.Http2 => (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact),
        _ when request.Bound is not null => (HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact),
        _ => (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower),
    };

    private Task<bool> SpeaksHttp2Async(Backend backend, ProxiedRequest request, CancellationToken cancellationToken)
        => request is { Bound: null, Pool.Options.HttpVersion: BackendHttpVersion.Auto }
            ? priorKnowledge.IsSpokenByAsync(backend, request.Pool.Options.Timeouts.Connect).WaitAsync(cancellationToken)
            : Task.FromResult(false);

    private static bool IsGrpcInClear(Backend backend, ProxiedRequest request)
        => !BackendTls.IsUsedBy(backend.Address) && GrpcContent.IsOne(request.Context.Request.ContentType.AsSpan());

    private void Report(Backend backend, ProxiedRequest request, Exception exception, CancellationToken cancellationToken)
    {
        var failure = request.Failure = AttemptFailures.Of(exception, request, cancellationToken);
        if (failure.IsBackends(request)) outcomes.Failed(backend, Suspicion.Of(failure.ToEvidence(exception), request.Decision.Client));
        if (failure is AttemptFailure.NoAnswer or AttemptFailure.BadAnswer && IsGrpcInClear(backend, request)) priorKnowledge.Doubt(backend);
        if (failure.IsConnects()) metrics.DialFailed(backend.Pool, backend.Name, DialError.TypeOf(exception));
    }

    [LoggerMessage(EventIds.RequestRetried, LogLevel.Debug,
        "Request of pool {Pool} failed on backend {Backend} ({Failure}) and is tried on {Next}",
        EventName = "RequestRetried")]
    private partial void LogRetried(string pool, string backend, string next, AttemptFailure failure, Exception exception);
}
