using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;
using StickyWs.Dispatch;

namespace StickyWs.Proxying;

/// <summary>
/// One request on its way: the owner of its lease, from the choice of a backend until the answer was passed on. Belongs to
/// <see cref="RequestProxy"/>, and to <see cref="BackendHandler"/> while that sends.
/// </summary>
internal sealed class ProxiedRequest(HttpContext context, Decision decision, string target) : IDisposable
{
    public static readonly HttpRequestOptionsKey<ProxiedRequest> Key = new("StickyWs.ProxiedRequest");

    private Lease _lease;
    private bool _isLeased;
    private bool _wasRepeated;

    public HttpContext Context => context;

    public Decision Decision => decision;

    public PoolSnapshot Pool => decision.Pool;

    public NoBackendReason Why => decision.Why;

    /// <summary>Path and query: as the client wrote them, unless the application changed them.</summary>
    public string Target => target;

    /// <summary>The backend that is or was tried last.</summary>
    public Backend? Backend { get; private set; }

    /// <summary>Fires when the whole time that the pool gives a request is over (<c>Timeouts:Request</c>).</summary>
    public CancellationToken Deadline { get; init; }

    /// <summary>Whether the time that the pool or the application gives it is over.</summary>
    public bool IsOutOfTime => Deadline.IsCancellationRequested || Abandonment.IsTimedOut(context);

    /// <summary>How the last attempt failed.</summary>
    public AttemptFailure Failure { get; set; }

    /// <summary>The metric tag <c>error.type</c>: how it failed, or why it had no backend; <see langword="null"/> when it went well.</summary>
    public string? ErrorType => Failure != AttemptFailure.None ? Failure.ToString() : Why != NoBackendReason.None ? Why.ToString() : null;

    /// <summary>What was or is being sent; <see langword="null"/> for a safe request without a body.</summary>
    public OnceContent? Content { get; private set; }

    /// <summary>Gives the backend back and takes the next one.</summary>
    public bool TryMoveOn()
    {
        Dispose();
        _isLeased = decision.TryNext(out _lease);
        if (_isLeased) Backend = _lease.Backend;
        return _isLeased;
    }

    /// <summary>
    /// Takes the next backend if the request may be tried there: when nothing of it was sent, and once when it is a safe one
    /// without a body that got no answer (RFC 9110 section 9.2.2).
    /// </summary>
    public bool TryRetry()
    {
        if (Failure.IsConnects()) return Content is not { HasStarted: true } && TryMoveOn();
        if (Failure != AttemptFailure.NoAnswer || Content is not null || _wasRepeated) return false;
        _wasRepeated = true;
        return TryMoveOn();
    }

    /// <summary>Sees to it that only a safe request without a body can ever be sent twice.</summary>
    public void Guard(HttpRequestMessage message)
    {
        var hasBody = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? message.Content is not null;
        if (hasBody || !IsSafe(message.Method)) message.Content = Content = new OnceContent(message.Content);
    }

    /// <summary>Tells the backend what it needs to know of the client.</summary>
    public void Announce(HttpRequestMessage message)
    {
        var notice = decision.Notice;
        Set(message, PinNotice.PinHeader, notice.Pin);
        Set(message, PinNotice.MovedFromHeader, notice.MovedFrom);
    }

    public void Dispose()
    {
        if (!_isLeased) return;
        _isLeased = false;
        _lease.Dispose();
    }

    private static void Set(HttpRequestMessage message, string name, string? value)
    {
        message.Headers.Remove(name);
        if (value is not null) message.Headers.TryAddWithoutValidation(name, value);
    }

    private static bool IsSafe(HttpMethod method)
        => method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace;
}
