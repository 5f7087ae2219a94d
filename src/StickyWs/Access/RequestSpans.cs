using System.Diagnostics;
using System.Globalization;
using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>
/// The spans of a plain request that the pipeline does not see: one of a server, and one of a client for each backend that it is sent to. They are never the
/// current ones, since a reactor does other work meanwhile. Belongs to its request.
/// </summary>
internal sealed class RequestSpans
{
    // From which status on it is an error, by the semantic conventions: of what was asked for, and of what was answered.
    private const int ClientError = 400;
    private const int ServerError = 500;

    private readonly AccessLog _log;
    private readonly Tracer _tracer;
    private readonly TimeProvider _time;
    private readonly RequestFacts _request;
    private Activity? _server;
    private Activity? _ask;
    private int _asked;

    private RequestSpans(AccessLog log, Tracer tracer, TimeProvider time, in RequestFacts request)
        => (_log, _tracer, _time, _request) = (log, tracer, time, request);

    /// <summary>The id of the trace.</summary>
    public UInt128 TraceId { get; private set; }

    /// <summary>Starts the server's span.</summary>
    /// <returns><see langword="null"/> if no listener wants it: the client's trace then passes as it came.</returns>
    public static RequestSpans? Begin(
        AccessLog log, Tracer tracer, TimeProvider time, in ClientFacts client, RequestHead head, in RequestFacts request, string pool,
        System.Net.IPAddress? forwarded)
    {
        var spans = new RequestSpans(log, tracer, time, request);
        var (facts, about) = (client, request);
        spans.Attempt(() => spans._server = HttpSpans.StartServer(tracer, facts, head, about, forwarded, pool));
        spans.TraceId = HandshakeAccount.IdOf(spans._server);
        return spans._server is null ? null : spans;
    }

    /// <summary>It is sent to a backend.</summary>
    /// <returns>The headers by which the backend is told of the trace.</returns>
    public IReadOnlyList<KeyValuePair<string, string>> Ask(Backend backend, ConnectionTuple? upstream)
    {
        IReadOnlyList<KeyValuePair<string, string>> headers = [];
        Attempt(() =>
        {
            _ask = HttpSpans.StartClient(_tracer, _server, _request, backend, upstream, _asked);
            headers = Tracer.HeadersOf(_ask ?? _server);
        });
        _asked++;
        return headers;
    }

    /// <summary>The backend has answered.</summary>
    public void Answered(int status) => Stop(ref _ask, null, status, status >= ClientError ? Text(status) : null);

    /// <summary>The backend has not answered.</summary>
    /// <param name="errorType">Why, in a word; <see langword="null"/> if that is nobody's fault.</param>
    public void Failed(string? errorType) => Stop(ref _ask, null, 0, errorType);

    /// <summary>The request is over.</summary>
    /// <param name="backend">The backend that was tried last.</param>
    /// <param name="status">What the client got; 0 for nothing.</param>
    /// <param name="errorType">What went wrong, in a word; <see langword="null"/> if that is nobody's fault.</param>
    public void End(Backend? backend, int status, string? errorType)
    {
        Failed(errorType);
        Stop(ref _server, backend, status, status >= ServerError ? Text(status) : status is 0 or < ClientError ? errorType : null);
    }

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);

    // The span ends here, and listeners hear of it elsewhere: they may block, and this is a reactor.
    private void Stop(ref Activity? span, Backend? backend, int status, string? errorType)
    {
        if (span is not { } ended) return;
        span = null;
        if (ended.IsAllDataRequested)
        {
            if (status != 0) ended.SetTag(SpanTags.Status, status);
            if (backend is not null) ended.SetTag(SpanTags.Backend, backend.Name);
            if (errorType is not null) ended.SetTag(SpanTags.ErrorType, errorType).SetStatus(ActivityStatusCode.Error);
        }

        ended.SetEndTime(_time.GetUtcNow().UtcDateTime);
        _log.Stop(ended);
    }

    // A listener that throws costs its trace, not the request.
    private void Attempt(Action call)
    {
        var before = Activity.Current;
        try
        {
            call();
        }
#pragma warning disable CA1031 // Whatever a listener or a propagator of the application's throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.NoteFailed(e);
        }
        finally
        {
            Activity.Current = before;
        }
    }
}
