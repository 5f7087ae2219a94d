using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Direct;

// Limits of time. They are looked at by the desk's sweep, and may be overrun by as much as its interval.
internal sealed partial class DirectExchange
{
    private long _movedAt;
    private long _endsAt;
    private long _activity;
    private long _beganAt;
    private long _bodyBytes;
    private long _mostBody;
    private long _waited;
    private long _lookedAt;

    // Whether the client may send more of its body now.
    private bool MayReceive => !IsReceived && !_isLinkFull && _link is not null;

    // One that awaits a 100 sends nothing before.
    private bool AwaitsClient => MayReceive && (_hasInterim || _bodyBytes > 0 || !_request.ExpectsContinue);

    /// <summary>A byte of request or answer has moved.</summary>
    public void NoteMoved() => _movedAt = desk.Reactor.Now;

    /// <summary>Ends the exchange if one of its limits has passed.</summary>
    public void LookAtTime(DirectLimits limits)
    {
        var now = desk.Reactor.Now;
        if (!AwaitsClient) _waited += now - _lookedAt; // It is not the client's time.
        _lookedAt = now;
        if (now >= _endsAt) EndInTime(AttemptFailure.OutOfTime);
        else if (now - _movedAt >= _activity) EndInTime(client.IsFull || AwaitsClient ? AttemptFailure.ClientSilent : AttemptFailure.BackendSilent);
        else if (AwaitsClient && IsTooSlow(limits.BodyRate, now - _beganAt - _waited)) FailClient(AttemptFailure.ClientBody, 408);
    }

    private void BeginClock()
    {
        var timeouts = _pool.Options.Timeouts;
        var now = desk.Reactor.Now;
        (_movedAt, _beganAt, _lookedAt, _bodyBytes, _waited) = (now, now, now, 0, 0);
        _activity = (long)timeouts.Activity.TotalMilliseconds;
        _endsAt = timeouts.Request is { } longest ? now + (long)longest.TotalMilliseconds : long.MaxValue;
        _mostBody = _services.Limits.Body ?? long.MaxValue;
        desk.Tighten(_activity);
        if (_services.Accounts.HasListeners) BeginSpans();
        if (timeouts.Request is { } limit) desk.Tighten((long)limit.TotalMilliseconds);
        var isTimed = _services.Accounts.HasRequests || _services.Accounts.IsWatched || _services.Metrics.MeasuresRequests;
        _startedAt = isTimed ? _services.Time.GetTimestamp() : null;
    }

    private void EndInTime(AttemptFailure failure)
    {
        (_failure, Ticket) = (failure, Ticket + 1); // A connect under way is no longer for this exchange.
        if (_isAnswered)
        {
            _failure = AttemptFailure.None; // It was only about the rest of the request.
            End(closes: true);
            return;
        }

        if (_hasAnswer)
        {
            if (failure != AttemptFailure.OutOfTime) _services.Failures.Note(Backend!, "request", null, FailureLog.Standstill);
            Break();
            return;
        }

        Report(null);
        var refusal = failure.ToRefusal(0);
        if (failure == AttemptFailure.BackendSilent) _services.Failures.Note(Backend!, "request", refusal.Status, refusal.Text);
        _closes = true;
        Refuse(refusal);
    }

    private bool IsTooSlow(MinDataRate? rate, long elapsed)
        => rate is not null && elapsed >= rate.GracePeriod.TotalMilliseconds && _bodyBytes * 1000.0 < rate.BytesPerSecond * elapsed;
}
