using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>
/// What is told of one handshake: its line, unless a tunnel comes of it, and its spans. Belongs to the handshake; disposed when that is over. Its text
/// is safe to be shown from the beginning (<see cref="AccessText"/>).
/// </summary>
internal sealed class HandshakeAccount : IDisposable
{
    private readonly AccessLog _log;
    private readonly Tracer _tracer;
    private readonly TimeProvider _time;
    private readonly ClientFacts _client;
    private readonly BackendChoice _choice;
    private readonly RequestHead? _head;
    private readonly string? _method;
    private readonly string? _host;
    private readonly string? _path;
    private readonly IPAddress? _forwarded;
    private readonly bool _isLogged;
    private readonly long _startedAt;
    private readonly Activity? _outer; // The pipeline's own span, if somebody listens to it.
    private Activity? _server;
    private Activity? _ask;
    private Activity? _beforeServer;
    private Activity? _beforeAsk;
    private int _asked;
    private Backend? _backend;
    private ConnectionTuple? _upstream;
    private HandshakeOutcome? _outcome;
    private int _status;
    private TimeSpan? _took;
    private bool _isOpen;

    public HandshakeAccount(AccessLog log, Tracer tracer, TimeProvider time, in ClientFacts client, RequestHead? head, BackendChoice choice)
    {
        (_log, _tracer, _time, _client, _choice, _head) = (log, tracer, time, client, choice, head);
        _startedAt = time.GetTimestamp();
        _isLogged = log.HasTunnels;
        var host = head?.Host ?? choice.ServerName;
        (_host, _path) = (host is null ? null : AccessText.Of(host), head is null ? null : AccessText.Of(head.Path));
        _method = head is null ? null : head.Method.SequenceEqual("GET"u8) ? "GET" : Encoding.ASCII.GetString(head.Method);
        _forwarded = choice.Client is { } address && !address.Equals(client.Tuple?.SourceAddress) ? address : null;
        _outer = client.IsInPipeline && Activity.Current is { } current && current.Source.HasListeners() ? current : null;
    }

    /// <summary>Whether somebody looks at the process, and is to see what becomes of it.</summary>
    public bool IsKept { get; init; }

    /// <summary>The id of the trace that it belongs to; 0 for none.</summary>
    private UInt128 TraceId => (_server ?? _outer) is { } span ? IdOf(span) : _head is null ? default : TraceParent.IdOf(_head);

    /// <summary>The id of a span's trace; 0 if it has none.</summary>
    public static UInt128 IdOf(Activity? span)
    {
        if (span is null) return default;
        Span<byte> id = stackalloc byte[16];
        span.TraceId.CopyTo(id);
        return BinaryPrimitives.ReadUInt128BigEndian(id);
    }

    /// <summary>
    /// Starts the server's span, unless the pipeline has one that somebody listens to. Listeners are called at once: whether there is a span, and which
    /// trace the backend is told of, is for them to say.
    /// </summary>
    public void BeginSpan()
    {
        if (_head is null || _outer is not null) return;
        _beforeServer = Activity.Current;
        Attempt(static account => account._server = account.StartServer());
    }

    /// <summary>A backend is asked.</summary>
    /// <returns>The headers by which it is told of the trace; none if the client's own pass on.</returns>
    public IReadOnlyList<KeyValuePair<string, string>> Ask(Backend backend, ConnectionTuple? upstream)
    {
        (_backend, _upstream) = (backend, upstream);
        if (_head is null) return [];
        IReadOnlyList<KeyValuePair<string, string>> headers = [];
        _beforeAsk = Activity.Current;
        Attempt(account =>
        {
            // Without listeners of ours the client's trace passes as it came, as it does without an account: lines change nothing of it.
            var outer = account._tracer.HasListeners ? account._outer : null;
            if ((account._server ?? outer) is not null) account._ask = account.StartClient();
            headers = Tracer.HeadersOf(account._ask ?? account._server ?? outer);
        });
        _asked++;
        return headers;
    }

    /// <summary>The backend has answered, or failed to.</summary>
    /// <param name="outcome">How; <see langword="null"/> if the application ended it.</param>
    /// <param name="status">The status of its answer; 0 without.</param>
    public void Answered(HandshakeOutcome? outcome, int status) => Stop(ref _ask, _beforeAsk, outcome, status, isFailed: status >= 400);

    /// <summary>The handshake has ended without a tunnel.</summary>
    /// <param name="outcome">How; <see langword="null"/> if the application ended it.</param>
    /// <param name="status">What the client got; 0 for nothing.</param>
    /// <param name="backend">The backend that is to blame, if that is another than the one that was asked last.</param>
    public void Ended(HandshakeOutcome? outcome, int status, Backend? backend = null)
    {
        (_outcome, _status) = (outcome, status);
        _took = _time.GetElapsedTime(_startedAt); // What the client gets may yet have a long body.
        if (backend is not null && backend != _backend) (_backend, _upstream) = (backend, null);
    }

    /// <summary>The handshake has ended with a tunnel.</summary>
    /// <returns>What the tunnel is to keep; <see langword="null"/> if nobody wants to know of its end.</returns>
    public TunnelRecord? Opened()
    {
        (_outcome, _status, _isOpen) = (HandshakeOutcome.Opened, 101, true);
        var span = _server ?? (_outer is not null && _tracer.HasListeners ? _outer : null);
        if (!_isLogged && !IsKept && span is not { IsAllDataRequested: true }) return null;
        _log.Opened();
        return new TunnelRecord(_log)
        {
            Host = _host,
            Path = _path,
            Method = _method,
            TlsVersion = _client.TlsVersion,
            ChosenBy = _choice.ChosenBy,
            Pin = _choice.PinOutcome,
            ForwardedClient = _forwarded,
            Upstream = _upstream,
            Handshake = _time.GetElapsedTime(_startedAt),
            TraceId = TraceId,
            IsLogged = _isLogged,
            Traced = span is not { IsAllDataRequested: true } ? null : new TracedTunnel(span.Context),
        };
    }

    public void Dispose()
    {
        Stop(ref _ask, _beforeAsk, _outcome, 0, isFailed: true); // Only if it broke off.
        if (!_isOpen && (_isLogged || IsKept)) Write();
        Stop(ref _server, _beforeServer, _outcome, _status, isFailed: _status >= 500);
    }

    private void Write() => _log.Write(new AccessLine
    {
        Event = AccessEvent.Handshake,
        IsLogged = _isLogged,
        Client = _client.Tuple,
        Upstream = _upstream,
        ForwardedClient = _forwarded,
        Pool = _choice.Pool.Name,
        Backend = _backend?.Name,
        Lane = _client.Lane,
        TlsVersion = _client.TlsVersion,
        ChosenBy = _choice.ChosenBy,
        Pin = _choice.PinOutcome,
        Handshake = _took ?? _time.GetElapsedTime(_startedAt),
        Status = _status,
        Outcome = _outcome?.ToString(),
        TraceId = TraceId,
        ConnectionId = _client.ConnectionId,
        Method = _method,
        Host = _host,
        Path = _path,
    });

    private RequestFacts Request => new(_method!, _host, _path!);

    private Activity? StartServer() => HttpSpans.StartServer(_tracer, _client, _head!, Request, _forwarded, _choice.Pool.Name);

    private Activity? StartClient() => HttpSpans.StartClient(_tracer, _server ?? _outer, Request, _backend!, _upstream, _asked);

    // The span ends here, and listeners hear of it elsewhere: they may block, and this may be a reactor.
    private void Stop(ref Activity? span, Activity? before, HandshakeOutcome? outcome, int status, bool isFailed)
    {
        if (span is not { } ended) return;
        span = null;
        Activity.Current = before is { IsStopped: false } ? before : null;
        if (ended.IsAllDataRequested) Tag(ended, outcome, status, isFailed);
        ended.SetEndTime(_time.GetUtcNow().UtcDateTime);
        _log.Stop(ended);
    }

    private void Tag(Activity ended, HandshakeOutcome? outcome, int status, bool isFailed)
    {
        if (status != 0) ended.SetTag(SpanTags.Status, status);
        if (outcome is not null) ended.SetTag(SpanTags.Outcome, outcome.ToString());
        if (_backend is { } backend) ended.SetTag(SpanTags.Backend, backend.Name);
        if (ErrorTypeOf(outcome, status, isFailed) is not { } errorType) return;
        ended.SetTag(SpanTags.ErrorType, errorType);
        ended.SetStatus(ActivityStatusCode.Error);
    }

    // A listener that throws costs its trace, not the handshake.
    private void Attempt(Action<HandshakeAccount> call)
    {
        try
        {
            call(this);
        }
#pragma warning disable CA1031 // Whatever a listener or a propagator of the application's throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.NoteFailed(e);
        }
    }

    // The conventions want the status where that is the error. A client that has left is nobody's.
    private static string? ErrorTypeOf(HandshakeOutcome? outcome, int status, bool isFailed)
        => outcome is null ? "exception"
            : isFailed && status > 0 ? status.ToString(CultureInfo.InvariantCulture)
            : status == 0 && outcome is not (HandshakeOutcome.Opened or HandshakeOutcome.ClientGone) ? outcome.ToString()
            : null;
}
