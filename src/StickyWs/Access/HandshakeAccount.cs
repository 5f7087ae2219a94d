using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
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
    private readonly Activity? _outer;
    private Activity? _server;
    private Activity? _ask;
    private int _asked;
    private Backend? _backend;
    private ConnectionTuple? _upstream;
    private HandshakeOutcome? _outcome;
    private int _status;
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
        _outer = client.IsInPipeline ? Activity.Current : null;
    }

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

    /// <summary>Starts the server's span, unless the pipeline has one.</summary>
    public void BeginSpan()
    {
        if (_head is not null && !_client.IsInPipeline) _log.Attempt(this, static account => account._server = account.StartServer());
    }

    /// <summary>A backend is asked.</summary>
    /// <returns>The headers by which it is told of the trace; none if the client's own pass on.</returns>
    public IReadOnlyList<KeyValuePair<string, string>> Ask(Backend backend, ConnectionTuple? upstream)
    {
        (_backend, _upstream) = (backend, upstream);
        if (_head is null) return [];
        IReadOnlyList<KeyValuePair<string, string>> headers = [];
        _log.Attempt(this, account =>
        {
            if (account._server is not null || (account._client.IsInPipeline && account._tracer.HasListeners)) account._ask = account.StartClient();

            // A span of the pipeline that nobody listens to is in nobody's trace.
            headers = Tracer.HeadersOf(account._ask ?? account._server ?? (account._outer is { } outer && outer.Source.HasListeners() ? outer : null));
        });
        _asked++;
        return headers;
    }

    /// <summary>The backend has answered, or failed to.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="status">The status of its answer; 0 without.</param>
    public void Answered(HandshakeOutcome outcome, int status) => Stop(ref _ask, outcome, status, isFailed: status >= 400);

    /// <summary>The handshake has ended without a tunnel.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="status">What the client got; 0 for nothing.</param>
    /// <param name="backend">The backend that is to blame, if it was not asked.</param>
    public void Ended(HandshakeOutcome outcome, int status, Backend? backend = null) => (_outcome, _status, _backend) = (outcome, status, _backend ?? backend);

    /// <summary>The handshake has ended with a tunnel.</summary>
    /// <returns>What the tunnel is to keep; <see langword="null"/> if nobody wants to know of its end.</returns>
    public TunnelRecord? Opened()
    {
        (_outcome, _status, _isOpen) = (HandshakeOutcome.Opened, 101, true);
        var span = _server ?? (_outer is not null && _tracer.HasListeners ? _outer : null);
        if (!_isLogged && span is not { IsAllDataRequested: true }) return null;
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
        Stop(ref _ask, _outcome, 0, isFailed: true); // Only if it broke off.
        if (!_isOpen && _isLogged) Write();
        Stop(ref _server, _outcome, _status, isFailed: _status >= 500);
    }

    private void Write() => _log.Write(new AccessLine
    {
        Event = AccessEvent.Handshake,
        Client = _client.Tuple,
        Upstream = _upstream,
        ForwardedClient = _forwarded,
        Pool = _choice.Pool.Name,
        Backend = _backend?.Name,
        Lane = _client.Lane,
        TlsVersion = _client.TlsVersion,
        ChosenBy = _choice.ChosenBy,
        Pin = _choice.PinOutcome,
        Handshake = _time.GetElapsedTime(_startedAt),
        Status = _status,
        Outcome = _outcome?.ToString(),
        TraceId = TraceId,
        ConnectionId = _client.ConnectionId,
        Method = _method,
        Host = _host,
        Path = _path,
    });

    private Activity? StartServer()
    {
        var host = new HostString(_head!.Host);
        List<KeyValuePair<string, object?>> tags =
        [
            new(SpanTags.Method, _method), new(SpanTags.Scheme, _client.Scheme), new(SpanTags.Path, _path),
            new(SpanTags.ServerAddress, AccessText.Of(host.Host)), new(SpanTags.ProtocolVersion, "1.1"),
            new(SpanTags.Pool, _choice.Pool.Name), new(SpanTags.Lane, _client.Lane),
        ];
        if (host.Port is { } port) tags.Add(new(SpanTags.ServerPort, port));
        if (_client.Tuple is { } tuple)
        {
            var peer = tuple.Source.ToEndPoint();
            tags.Add(new(SpanTags.ClientAddress, (_forwarded ?? peer.Address).ToString()));
            tags.Add(new(SpanTags.PeerAddress, peer.Address.ToString()));
            tags.Add(new(SpanTags.PeerPort, peer.Port));
        }

        return _tracer.Start(_method!, ActivityKind.Server, TraceParent.Read(_head), [.. tags]);
    }

    private Activity? StartClient()
    {
        var address = _backend!.Address;
        List<KeyValuePair<string, object?>> tags =
        [
            new(SpanTags.Method, _method), new(SpanTags.Url, address.GetLeftPart(UriPartial.Authority) + _path),
            new(SpanTags.ServerAddress, address.Host), new(SpanTags.ServerPort, address.Port), new(SpanTags.ProtocolVersion, "1.1"),
            new(SpanTags.Pool, _choice.Pool.Name), new(SpanTags.Backend, _backend.Name),
        ];
        if (_upstream is { } upstream)
        {
            var peer = upstream.Destination.ToEndPoint();
            tags.Add(new(SpanTags.PeerAddress, peer.Address.ToString()));
            tags.Add(new(SpanTags.PeerPort, peer.Port));
        }

        if (_asked > 0) tags.Add(new(SpanTags.Resends, _asked));
        return _tracer.Start(_method!, ActivityKind.Client, (_server ?? _outer)?.Context ?? default, [.. tags]);
    }

    private void Stop(ref Activity? span, HandshakeOutcome? outcome, int status, bool isFailed)
    {
        if (span is not { } ended) return;
        span = null;
        _log.Attempt((Span: ended, Outcome: outcome, Status: status, IsFailed: isFailed, Backend: _backend?.Name), static end =>
        {
            try
            {
                if (!end.Span.IsAllDataRequested) return;
                if (end.Status != 0) end.Span.SetTag(SpanTags.Status, end.Status);
                if (end.Outcome is { } outcome) end.Span.SetTag(SpanTags.Outcome, outcome.ToString());
                if (end.Backend is { } backend) end.Span.SetTag(SpanTags.Backend, backend);
                if (ErrorTypeOf(end.Outcome, end.Status, end.IsFailed) is not { } errorType) return;
                end.Span.SetTag(SpanTags.ErrorType, errorType);
                end.Span.SetStatus(ActivityStatusCode.Error);
            }
            finally
            {
                end.Span.Stop();
            }
        });
    }

    // The conventions want the status where that is the error. A client that has left is nobody's.
    private static string? ErrorTypeOf(HandshakeOutcome? outcome, int status, bool isFailed)
        => outcome is null ? "exception"
            : isFailed && status > 0 ? status.ToString(CultureInfo.InvariantCulture)
            : status == 0 && outcome is not (HandshakeOutcome.Opened or HandshakeOutcome.ClientGone) ? outcome.ToString()
            : null;
}
