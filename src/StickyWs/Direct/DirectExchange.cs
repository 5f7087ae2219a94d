using System.Text;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Direct;

/// <summary>
/// One request of a direct client and its answer, at a time: the owner of its lease, from the choice of a backend until the answer was passed on. The rules
/// are those of the pipeline's half. Belongs to its client, which uses it again for the next request; nothing is allocated for one that succeeds.
/// </summary>
internal sealed partial class DirectExchange(DirectDesk desk, DirectClient client)
{
    // What is matched against host and prefixes of pools, in characters.
    private const int MostMatched = 4096;

    private readonly DirectServices _services = desk.Services;
    private PoolSnapshot _pool = null!;
    private Decision? _decision;
    private Lease _lease;
    private bool _isLeased;
    private bool _hadTurn;
    private Retries _retries;
    private BackendLink? _link;
    private bool _isLinkFull;
    private DirectRequest _request;
    private BodyCounter _body;
    private bool _hasAnswer;
    private bool _isAnswered;
    private bool _hasInterim;
    private bool _closes;
    private int _status;
    private AttemptFailure _failure;

    public DirectClient Client => client;

    /// <summary>Changes with each attempt, so that what comes late for an earlier one is known.</summary>
    public uint Ticket { get; private set; }

    public bool IsHead => _request.IsHead;

    /// <summary>Whether all of the request was received, and sent on.</summary>
    public bool IsReceived { get; private set; } = true;

    /// <summary>Whether much of the request is still to come.</summary>
    public bool IsLong => _body.IsLong;

    /// <summary>Whether the client's connection ends with the answer.</summary>
    public bool Closes => _closes;

    /// <summary>Whether the client may wait for a 100 before it sends the body.</summary>
    public bool ExpectsContinue => _request.ExpectsContinue && _request.HasBody;

    private Backend? Backend { get; set; }

    private bool IsRepeatable => _request.IsSafe && !_request.HasBody;

    /// <summary>Begins an exchange, if the request is one for this lane.</summary>
    /// <param name="request">The request.</param>
    /// <param name="head">Its head.</param>
    /// <param name="limits">What Kestrel would refuse.</param>
    /// <returns>Whether it has begun (and perhaps ended); if not, nothing has happened.</returns>
    public bool TryBegin(in DirectRequest request, ReadOnlySpan<byte> head, DirectLimits limits)
    {
        if (request.IsUpgrade || request.ContentLength > limits.Body || Find(request, head) is not { } pool || !_services.IsDirect(pool)) return false;
        Reset(request, pool);
        if (!TryDecide(request, head) || !TryWriteHead(request, head))
        {
            DropHead();
            return false;
        }

        if (TryLease())
        {
            BeginClock();
            Attempt();
            return true;
        }

        if (_decision!.Why == NoBackendReason.Busy)
        {
            DropHead(); // The pipeline waits for a place.
            return false;
        }

        BeginClock();
        Refuse();
        return true;
    }

    /// <summary>Passes on part of the request's body.</summary>
    /// <returns>How many bytes it took.</returns>
    public int TakeBody(ReadOnlySpan<byte> bytes)
    {
        if (IsReceived || _link is null || _isLinkFull) return 0;
        var count = _body.Take(bytes, out var fault);
        _bodyBytes += count;
        if (fault != BodyFault.None || _bodyBytes > _mostBody)
        {
            FailClient(AttemptFailure.ClientBody, fault != BodyFault.None ? 400 : 413);
            return bytes.Length;
        }

        NoteMoved();
        if (_body.IsDone) IsReceived = true;
        if (!_link.Send(bytes[..count])) _isLinkFull = true;
        if (IsReceived) _link.RequestEnded();
        return count;
    }

    /// <summary>A connection for the current attempt is open, or could not be opened.</summary>
    public void Opened(BackendLink? link, Exception? failure)
    {
        if (link is null)
        {
            AttemptFailed(AttemptFailureExtensions.OfConnect(failure!), failure);
            return;
        }

        NoteMoved();
        SendOn(link);
        client.UseCarry();
    }

    /// <summary>The client has ended its direction before the end of its body.</summary>
    public void BodyIsCut() => FailClient(AttemptFailure.ClientBody, 400);

    public void LinkIsFull() => _isLinkFull = true;

    public void LinkHasRoom()
    {
        _isLinkFull = false;
        NoteMoved();
        client.UseCarry();
    }

    public void ClientIsFull() => _link?.Pause();

    public void ClientHasRoom() => _link?.Resume();

    /// <summary>The client's connection is gone.</summary>
    public void ClientHasLeft()
    {
        if (_failure == AttemptFailure.None) _failure = AttemptFailure.ClientGone;
        if (!_hasAnswer) _status = StatusCodes.Status499ClientClosedRequest;
        End(closes: true);
    }

    private PoolSnapshot? Find(in DirectRequest request, ReadOnlySpan<byte> head)
    {
        var host = request.Host(head);
        var path = request.Path(head);
        if (host.Length + path.Length > MostMatched) return null;
        Span<char> text = stackalloc char[host.Length + path.Length];
        Encoding.Latin1.GetChars(host, text);
        Encoding.Latin1.GetChars(path, text[host.Length..]);
        return _services.Dispatcher.Find(text[..host.Length], text[host.Length..]);
    }

    private void Reset(in DirectRequest request, PoolSnapshot pool)
    {
        (_request, _pool, _decision, _retries, Backend) = (request, pool, null, default, null);
        (_link, _isLinkFull, _hasAnswer, _status, _failure) = (null, false, false, 0, AttemptFailure.None);
        (_isAnswered, _hasInterim, _dropsBody, _bytesToClient) = (false, false, false, null);
        _closes = !request.KeepAlive;
        _body = BodyCounter.Of(request, _services.Limits.Head);
        IsReceived = _body.IsDone;
    }

    private bool TryLease()
    {
        (_isLeased, _hadTurn) = (false, false);
        if (_decision is null) _isLeased = _services.Dispatcher.TryLease(_pool, out _hadTurn, out _lease);
        if (!_isLeased)
        {
            _decision ??= _services.Dispatcher.Decide(_pool, IsRepeatable, _hadTurn);
            _isLeased = _decision.TryNext(out _lease);
        }

        if (_isLeased) Backend = _lease.Backend;
        return _isLeased;
    }

    private bool TryMoveOn()
    {
        EndLease();
        _decision ??= _services.Dispatcher.Decide(_pool, isRepeatable: false, hadTurn: true, Backend);
        _isLeased = _decision.TryNext(out _lease);
        if (_isLeased) Backend = _lease.Backend;
        return _isLeased;
    }

    private void EndLease()
    {
        if (!_isLeased) return;
        _isLeased = false;
        _lease.Dispose();
    }

    private void Attempt()
    {
        Ticket++;
        if (desk.Kept.TryTake(Backend!) is { } kept) SendOn(kept);
        else _ = LinkOpener.OpenAsync(desk, this, Ticket, _pool, Backend!);
    }

    private void SendOn(BackendLink link)
    {
        _link = link;
        link.Begin(this);
        _isLinkFull = !link.Send(HeadForBackend());
    }
}
