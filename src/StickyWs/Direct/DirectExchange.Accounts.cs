using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using RequestFacts = StickyWs.Access.RequestFacts;

namespace StickyWs.Direct;

// The end of an exchange, and what is told of it.
internal sealed partial class DirectExchange
{
    private long? _startedAt;
    private long? _bytesToClient;
    private bool _dropsBody;
    private byte[]? _head;
    private int _headLength;
    private RequestSpans? _spans;

    // The head as it goes to the backend. Kept to the end: it may be sent again, and lines tell of it.
    private ReadOnlySpan<byte> Head => _head.AsSpan(0, _headLength);

    private string? ErrorType
        => _failure != AttemptFailure.None ? _failure.ToString()
            : _decision is { Why: not NoBackendReason.None } decision ? decision.Why.ToString() : null;

    private bool TryWriteHead(in DirectRequest request, ReadOnlySpan<byte> head)
    {
        var words = new BackendWords { Address = client.Peer.Bytes, Scheme = client.IsHttps ? "https"u8 : "http"u8 };
        words.IsTrusted = _services.Registry.Current.TrustedProxies.Contains(client.Peer.Address);
        var room = desk.Scratch.AsSpan(0, desk.Scratch.Length - Addition);
        if (!DirectRequestWriter.TryWrite(room, head, request, words, out _headLength)) return false;
        _head = ArrayPool<byte>.Shared.Rent(_headLength);
        desk.Scratch.AsSpan(0, _headLength).CopyTo(_head);
        return true;
    }

    // The head for the current backend: with the client's pin, and with the trace of this hop instead of the client's.
    private ReadOnlySpan<byte> HeadForBackend()
    {
        var notice = _decision?.Notice ?? default;
        var trace = _spans?.Ask(Backend!, _link!.ReadTuple()) ?? [];
        if (notice == default && trace.Count == 0) return Head;
        var writer = new HeadSpan(desk.Scratch);
        writer.Add(Head[.._request.LineLength]);
        var lines = new HeaderLines(Head[_request.LineLength..^2]);
        while (lines.Read())
        {
            if (!Tracer.IsReplaced(lines.Name, trace)) writer.Add(lines.Line);
        }

        if (notice.Pin is { } pin) writer.Add(PinNotice.PinHeader, pin);
        if (notice.MovedFrom is { } name) writer.Add(PinNotice.MovedFromHeader, name);
        for (var i = 0; i < trace.Count; i++) writer.Add(trace[i].Key, trace[i].Value);
        writer.Add("\r\n"u8);
        return writer.Fits ? desk.Scratch.AsSpan(0, writer.Written) : Head; // Only what the application's own propagator writes can be so long.
    }

    private void BeginSpans()
    {
        var (address, peer) = (Address, client.Peer.Address);
        var scheme = client.IsHttps ? "https" : "http";
        var facts = new ClientFacts(client.ConnectionId, client.Tuple, LaneNames.Http, scheme, client.TlsVersion, IsInPipeline: false);
        var request = Facts;
        request = request with { Method = HttpSpans.MethodOf(request.Method), Path = AccessText.Of(request.Path) };
        _spans = _services.Accounts.BeginSpans(facts, WrittenHead, request, _pool.Name, address.Equals(peer) ? null : address);
    }

    private void DropHead()
    {
        if (_head is not null) ArrayPool<byte>.Shared.Return(_head);
        (_head, _headLength, _pool, _decision, _startedAt, _spans, IsReceived) = (null, 0, null!, null, null, null, true);
    }

    private void End(bool closes)
    {
        Ticket++;
        _link?.Close(isReset: true);
        _link = null;
        EndLease();
        _spans?.End(Backend, ToldStatus, _failure == AttemptFailure.ClientGone ? null : ErrorType);
        try
        {
            if (_startedAt is { } start) Tell(_services.Time.GetElapsedTime(start));
        }
        finally
        {
            DropHead();
            client.ExchangeEnded(closes);
        }
    }

    private void Tell(TimeSpan duration)
    {
        var (errorType, isTold, isWatched) = (ErrorType, _services.Accounts.HasRequests, _services.Accounts.IsWatched);
        if (isTold || (isWatched && errorType is not null)) WriteLine(duration, errorType, isTold);
        if (isWatched && _failure != AttemptFailure.ClientGone) Backend?.NoteRequest(errorType is not null, duration);
        _services.Metrics.RequestEnded(_pool.Name, Backend?.Name, _status, errorType, duration);
    }

    private void WriteLine(TimeSpan duration, string? errorType, bool isLogged)
    {
        var (address, request) = (Address, Facts);
        _services.Accounts.Write(new AccessLine
        {
            Event = AccessEvent.Request,
            IsLogged = isLogged,
            Client = client.Tuple,
            ForwardedClient = address.Equals(client.Peer.Address) ? null : address,
            Pool = _pool.Name,
            Backend = Backend?.Name,
            Lane = LaneNames.Http,
            TlsVersion = client.TlsVersion,
            ChosenBy = _decision is null ? ChosenByPolicy : _decision.ChosenBy,
            Pin = _decision?.PinOutcome,
            Duration = duration,
            Status = _status,
            BytesToBackend = _request.Framing == BodyFraming.Length ? _request.ContentLength : null,
            BytesToClient = _bytesToClient,
            Outcome = errorType,
            TraceId = _spans?.TraceId ?? TraceParent.IdOf(WrittenHead),
            ConnectionId = client.ConnectionId,
            Method = request.Method,
            Host = request.Host,
            Path = request.Path,
        });
    }

    // What spans say that the client got; 0 for nothing. Lines say 499 then, as those of the pipeline do.
    private int ToldStatus => _hasAnswer || _status != StatusCodes.Status499ClientClosedRequest ? _status : 0;

    private RequestFacts Facts
    {
        get
        {
            var target = Text(_request.TargetStart, _request.TargetLength);
            return new RequestFacts(Text(0, _request.MethodLength), HostOf(Head), target[.._request.PathLength]);
        }
    }

    // As it goes to the backend: without what the client disowns.
    private RequestHead WrittenHead => new(Head.ToArray(), _request.LineLength, Encoding.Latin1.GetBytes(HostOf(Head) ?? ""), [], isPlain: true);

    private string ChosenByPolicy => (_pool.IsPanicking ? Dispatch.DecisionReason.Panic : Dispatch.DecisionReason.Policy).ToString();

    private string Text(int start, int length) => Encoding.Latin1.GetString(Head.Slice(start, length));

    private static string? HostOf(ReadOnlySpan<byte> head)
    {
        var lines = new HeaderReader(head[(head.IndexOf((byte)'\n') + 1)..]);
        while (lines.Read())
        {
            if (HeaderNames.Is(lines.Name, HeaderNames.Host)) return Encoding.Latin1.GetString(lines.Value);
        }

        return null;
    }
}
