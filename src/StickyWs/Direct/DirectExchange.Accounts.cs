using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Direct;

// The end of an exchange, and what is told of it.
internal sealed partial class DirectExchange
{
    private long? _startedAt;
    private long? _bytesToClient;
    private bool _dropsBody;
    private byte[]? _head;
    private int _headLength;

    // The head as it goes to the backend. Kept to the end: it may be sent again, and lines tell of it.
    private ReadOnlySpan<byte> Head => _head.AsSpan(0, _headLength);

    private string? ErrorType
        => _failure != AttemptFailure.None ? _failure.ToString()
            : _decision is { Why: not NoBackendReason.None } decision ? decision.Why.ToString() : null;

    private bool TryWriteHead(in DirectRequest request, ReadOnlySpan<byte> head)
    {
        var words = new BackendWords { Address = client.Peer.Bytes, Scheme = "http"u8 };
        words.IsTrusted = _services.Registry.Current.TrustedProxies.Contains(client.Peer.Address);
        var room = desk.Scratch.AsSpan(0, desk.Scratch.Length - Addition);
        if (!DirectRequestWriter.TryWrite(room, head, request, words, out _headLength)) return false;
        _head = ArrayPool<byte>.Shared.Rent(_headLength);
        desk.Scratch.AsSpan(0, _headLength).CopyTo(_head);
        return true;
    }

    private void DropHead()
    {
        if (_head is not null) ArrayPool<byte>.Shared.Return(_head);
        (_head, _headLength, _pool, _decision, _startedAt, IsReceived) = (null, 0, null!, null, null, true);
    }

    private void End(bool closes)
    {
        Ticket++;
        _link?.Close(isReset: true);
        _link = null;
        EndLease();
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
        if (_services.Accounts.HasRequests) WriteLine(duration);
        _services.Metrics.RequestEnded(_pool.Name, Backend?.Name, _status, ErrorType, duration);
    }

    private void WriteLine(TimeSpan duration)
    {
        var address = Address;
        var target = Text(_request.MethodLength + 1, _request.TargetLength);
        var query = target.AsSpan().IndexOfAny('?', '#');
        _services.Accounts.Write(new AccessLine
        {
            Event = AccessEvent.Request,
            Client = client.Tuple,
            ForwardedClient = address.Equals(client.Peer.Address) ? null : address,
            Pool = _pool.Name,
            Backend = Backend?.Name,
            Lane = LaneNames.Http,
            ChosenBy = _decision is null ? ChosenByPolicy : _decision.ChosenBy,
            Pin = _decision?.PinOutcome,
            Duration = duration,
            Status = _hasAnswer || _status != StatusCodes.Status499ClientClosedRequest ? _status : 0,
            BytesToBackend = _request.Framing == BodyFraming.Chunked ? null : _request.ContentLength,
            BytesToClient = _bytesToClient,
            Outcome = ErrorType,
            ConnectionId = client.ConnectionId,
            Method = Text(0, _request.MethodLength),
            Host = HostOf(Head),
            Path = query < 0 ? target : target[..query],
        });
    }

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
