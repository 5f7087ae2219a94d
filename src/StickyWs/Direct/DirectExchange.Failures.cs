using System.Net;
using Microsoft.AspNetCore.Http;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Direct;

// What is tried again, what is said where nothing helps, and whom it is counted against: by the rules of the pipeline's half.
internal sealed partial class DirectExchange
{
    // The client as far as its address can be trusted.
    private IPAddress Address
    {
        get
        {
            var peer = client.Peer.Address;
            var trusted = _services.Registry.Current.TrustedProxies;
            if (!trusted.Contains(peer)) return peer;
            return ClientAddress.Of(new RequestView(WrittenHead, peer, client.IsHttps), trusted) ?? peer;
        }
    }

    private void AttemptFailed(AttemptFailure failure, Exception? exception)
    {
        _failure = failure;
        _spans?.Failed(failure.ToString());
        Report(exception);
        var backend = Backend!;
        if (failure.IsConnects()) _services.Metrics.DialFailed(backend.Pool, backend.Name, DialError.TypeOf(exception!));
        var mayRepeat = failure == AttemptFailure.NoAnswer
            ? _retries.TryAfterNoAnswer(IsRepeatable)
            : failure.IsConnects() && Retries.AfterConnect(failure == AttemptFailure.OutOfResources, canUseKept: _decision?.KnowsClient != true);
        if (mayRepeat && TryMoveOn())
        {
            _services.Metrics.Retried(backend.Pool, backend.Name);
            Attempt();
            return;
        }

        var isRefused = failure.IsOurs() || _decision is { IsCrowdedOut: true } or { Why: NoBackendReason.Held };
        if (failure.IsOurs()) _services.Shortages.Note(backend, exception);
        else _services.Failures.Note(backend, "request", failure.ToRefusal(0).Status, failure.ToRefusal(0).Text, exception);
        if (isRefused) Refuse();
        else Refuse(failure.ToRefusal(0));
    }

    // The client did not deliver its body, or too much of it.
    private void FailClient(AttemptFailure failure, int status)
    {
        if (_isAnswered)
        {
            End(closes: true); // In order: a reset would lose the answer on its way.
            return;
        }

        _failure = failure;
        if (_hasAnswer) Break();
        else Refuse(failure.ToRefusal(status));
    }

    // There is no backend, or nothing here to reach one with.
    private void Refuse()
    {
        _decision ??= _services.Dispatcher.Decide(_pool, isRepeatable: false, hadTurn: true);
        if (_decision.Why is NoBackendReason.NoneEligible or NoBackendReason.Held) _services.Outcomes.Missed(_pool);
        Refuse(_failure.IsOurs() ? _decision.Refuse(Refusal.NoRoom) : _decision.Refusal);
    }

    private void Refuse(Refusal refusal)
    {
        (_status, _bytesToClient) = (refusal.Status, refusal.Body.Length);
        var closes = _closes || !IsReceived || client.IsLeaving;
        client.Send(refusal.ToBytes(closes, IsHead));
        End(closes);
    }

    // Too late for an answer: the client must not take what it has for the whole.
    private void Break()
    {
        if (!_hasAnswer) _status = StatusCodes.Status499ClientClosedRequest;
        client.Break();
    }

    private void Report(Exception? exception)
    {
        var isBackends = _failure >= AttemptFailure.BackendSilent || (_failure == AttemptFailure.OutOfTime && IsReceived && !client.IsFull);
        if (isBackends) _services.Outcomes.Failed(Backend!, Suspicion.Of(_failure.ToEvidence(exception), Address));
    }
}
