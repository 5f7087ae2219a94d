using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

/// <summary>
/// One request in progress: the owner of its lease, from the choice of a backend until the response was passed on. Belongs to <see
/// cref="RequestProxy"/>, and to <see cref="BackendHandler"/> during the send.
/// </summary>
internal sealed class ProxiedRequest(HttpContext context, Decision decision, string target) : IDisposable
{
    public static readonly HttpRequestOptionsKey<ProxiedRequest> Key = new("StickyWs.ProxiedRequest");

    // An upper bound: no more connections than this lead to one address, each found closed in turn, and no backend keeps refusing that often.
    private const int MostOnStale = ushort.MaxValue;
    private const int MostOnRefusal = 16;

    private static readonly AsyncLocal<ProxiedRequest?> Flow = new();

    private Lease _lease;
    private bool _isLeased;
    private Retries _retries;
    private bool _wasAnnounced;
    private int _stale;
    private int _refused;
    private volatile BackendWire? _spent;

    /// <summary>The request being sent in the current async flow; the HTTP client writes in the flow of its caller.</summary>
    public static ProxiedRequest? Current => Flow.Value;

    public HttpContext Context => context;

    public Decision Decision => decision;

    public PoolSnapshot Pool => decision.Pool;

    public NoBackendReason Why => decision.Why;

    /// <summary>Path and query: as sent by the client, unless the application changed them.</summary>
    public string Target => target;

    /// <summary>The backend that is being tried or was tried last.</summary>
    public Backend? Backend { get; private set; }

    /// <summary>Fires when the pool's time limit for the request has passed (<c>Timeouts:Request</c>).</summary>
    public CancellationToken Deadline { get; init; }

    /// <summary>Whether the time limit of the pool or the application has passed.</summary>
    public bool IsOutOfTime => Deadline.IsCancellationRequested || Abandonment.IsTimedOut(context);

    /// <summary>How the last attempt failed.</summary>
    public AttemptFailure Failure { get; set; }

    /// <summary>The metric tag <c>error.type</c>: how it failed, or why it had no backend; <see langword="null"/> on success.</summary>
    public string? ErrorType => Failure != AttemptFailure.None ? Failure.ToString() : Why != NoBackendReason.None ? Why.ToString() : null;

    /// <summary>The content being sent; <see langword="null"/> for a safe request without a body.</summary>
    public RequestContent? Content { get; private set; }

    /// <summary>The connection bound to the client's connection, if that is authenticated itself.</summary>
    public BoundClient? Bound { get; set; }

    /// <summary>The last HTTP/1.1 connection to a backend that it was sent on.</summary>
    public BackendWire? Connection { get; set; }

    /// <summary>Whether it may have a body; <see langword="null"/> if the server does not know.</summary>
    public bool? CanHaveBody { get; } = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody;

    /// <summary>The client's body, if it may have one.</summary>
    public BodyGate? Body { get; set; }

    /// <summary>Releases the backend and takes the next one, after a wait where the backends' limits are reached.</summary>
    /// <param name="attempt">Ends the wait, besides the end of the request.</param>
    public ValueTask<bool> MoveOnAsync(CancellationToken attempt = default)
        => TryMoveOn() ? new(true) : Why == NoBackendReason.Busy ? WaitAsync(attempt) : new(false);

    private bool TryMoveOn()
    {
        Dispose();
        // An authenticated connection of the client decides, whatever the policy would choose.
        if (Backend is null && Bound?.Backend is { } bound) decision.Prefer(bound);
        _isLeased = decision.TryNext(out _lease);
        if (_isLeased) Backend = _lease.Backend;
        return _isLeased;
    }

    /// <summary>
    /// Takes the next backend, or the same again, if the request may be tried there (<see cref="Retries"/>); also after a kept connection was closed,
    /// or if the backend says that it did not process the request.
    /// </summary>
    public ValueTask<bool> TryRetryAsync(CancellationToken attempt)
    {
        if (Content is { CanRepeat: false }) return new(false);
        return Failure switch
        {
            AttemptFailure.StaleConnection => new(++_stale <= MostOnStale),
            AttemptFailure.NotProcessed => ++_refused <= MostOnRefusal ? new(true) : MoveOnAsync(attempt),
            AttemptFailure.NoAnswer => _retries.TryAfterNoAnswer(isSafe: Content is null) ? MoveOnAsync(attempt) : new(false),
            _ => MayLeave() ? MoveOnAsync(attempt) : new(false),
        };
    }

    // A kept connection to another backend is no reason to leave a client's state behind.
    private bool MayLeave()
        => Failure.IsConnects() && Retries.AfterConnect(Failure == AttemptFailure.OutOfResources, canUseKept: !decision.KnowsClient);

    private async ValueTask<bool> WaitAsync(CancellationToken attempt)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, Deadline, attempt);
        try
        {
            if (await decision.WaitAsync(over.Token).ConfigureAwait(false) is not { } lease) return false;
            (_lease, _isLeased, Backend) = (lease, true, lease.Backend);
            return true;
        }
        catch (OperationCanceledException)
        {
            if (IsOutOfTime) Failure = AttemptFailure.OutOfTime;
            else if (context.RequestAborted.IsCancellationRequested) Failure = AttemptFailure.ClientGone;
            return false;
        }
    }

    /// <summary>Attaches the message being sent, and ensures that only repeatable content is ever sent twice.</summary>
    public void Begin(HttpRequestMessage message, CancellationToken activity)
    {
        Flow.Value = this;
        if (!(CanHaveBody ?? message.Content is not null) && SafeMethods.Contain(message.Method.Method.AsSpan())) return;
        message.Content = Content = new RequestContent(message.Content, Body, activity);
    }

    /// <summary>The connection takes no more of its body, or the backend wants no more.</summary>
    public void GiveUpBody(BackendWire connection)
    {
        _spent = connection;
        Content?.GiveUp();
    }

    /// <summary>The request is over.</summary>
    public void End()
    {
        Content?.Forget();
        Connection?.Leave(this);
        _spent?.Close();
    }

    /// <summary>Adds the headers that tell the backend about the client.</summary>
    public void Announce(HttpRequestMessage message)
    {
        var notice = decision.Notice;
        if (!_wasAnnounced && notice == default) return;
        _wasAnnounced = true;
        notice.SetOn(message.Headers, static (headers, name, value) =>
        {
            headers.Remove(name);
            if (value is not null) headers.TryAddWithoutValidation(name, value);
        });
    }

    public void Dispose()
    {
        if (!_isLeased) return;
        _isLeased = false;
        _lease.Dispose();
    }
}
