using System.Net;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Http1;

namespace StickyWs.Dispatch;

/// <summary>
/// Which backend, and why: the one that the client has a claim on; otherwise the one that the pool's policy picks among those that are eligible and
/// were not tried or found full. A client that has to move goes where its key leads, so that every instance moves it to the same backend.
/// </summary>
internal sealed class Decision(
    PoolSnapshot pool, LeaseKind kind, PolicyRunner policy, int maxTunnels, Claim? claim = null, bool isRepeatable = false)
    : BackendChoice(pool, kind)
{
    private BackendSet _candidates = pool.Eligible;
    private Backend? _last;
    private Backend? _first = claim?.First;
    private bool _metFull;
    private Backend? _trial;
    private bool _mayTry = isRepeatable && !pool.Suspended.IsEmpty;

    /// <summary>Why the last backend was chosen.</summary>
    public DecisionReason Reason { get; private set; } = pool.IsPanicking ? DecisionReason.Panic : DecisionReason.Policy;

    /// <summary>Whether the pool has affinity rules.</summary>
    public bool IsSticky => claim is not null;

    /// <summary>Whether one of the pool's rules knows the client.</summary>
    public bool KnowsClient => claim is { Key.IsNone: false };

    /// <summary>Whether the response's body will be learnt from.</summary>
    public bool AwaitsBody => claim?.Awaits is not null;

    /// <summary>The request, and the proxies that are trusted about its origin.</summary>
    public (RequestView Request, Networks Trusted)? Origin { get; init; }

    public override IPAddress? Client => Origin is { } origin ? ClientAddress.Of(origin.Request, origin.Trusted) : null;

    public override PinNotice Notice => claim is null || _last is null ? default : claim.NoticeFor(_last);

    public override bool TryNext(out Lease lease)
    {
        lease = default;
        if (claim?.IsHeld(_last) == true)
        {
            claim.NoteHeld(Pool.Name);
            Why = NoBackendReason.Held;
            return false;
        }

        PassOverLast();
        while (Pick() is { } backend)
        {
            _last = backend;
            switch (backend.TryLease(Kind, maxTunnels, out lease, backend == _trial ? new TrialLease(claim) : claim))
            {
                case LeaseResult.Granted:
                    Why = NoBackendReason.None;
                    return true;
                case LeaseResult.AllFull:
                    Why = NoBackendReason.Full;
                    return false;
                case LeaseResult.BackendFull when claim?.IsBoundTo(backend) == true:
                    Why = NoBackendReason.Full;
                    return false;
                case LeaseResult.BackendFull:
                    _metFull = true;
                    PassOverLast();
                    break;
            }
        }

        lease = default;
        Why = _metFull ? NoBackendReason.Full : Pool.Eligible.Count == 0 ? NoBackendReason.NoneEligible : NoBackendReason.AllTried;
        return false;
    }

    /// <summary>Tries a backend first, unless the client has a claim on one by a rule of the pool.</summary>
    public void Prefer(Backend backend)
    {
        if (!KnowsClient && Pool.Eligible.Contains(backend)) _first = backend;
    }

    public override ValueTask<ClientMarks> SettleAsync(IAnswerHead answer)
        => claim is null || _last is null ? default : claim.SettleAsync(_last, answer);

    /// <summary>Whether the body is an incomplete piece of something to learn from.</summary>
    public static bool IsPart(ReadOnlySpan<byte> body) => TokenText.IsPart(body);

    /// <summary>Learns from a body, if <see cref="AwaitsBody"/>. Completes when every instance can find what was learnt.</summary>
    public ValueTask LearnAsync(ReadOnlySpan<byte> body)
        => claim!.Awaits!.TryLearn(body, out var key) ? claim.LearnAsync(key, _last!) : default;

    private Backend? Pick()
    {
        if (_first is { } first)
        {
            _first = null;
            Reason = DecisionReason.Affinity;
            return first;
        }

        if (_mayTry && TryTakeTrial() is { } suspended) return suspended;
        if (_candidates.Count == 0) return null;
        if (claim is not { Key.IsNone: false }) return _candidates[policy.Pick(_candidates, Pool.Turns.Next())];
        if (Reason != DecisionReason.Retry) Reason = claim.Known is null ? DecisionReason.Affinity : DecisionReason.Moved;
        return _candidates[Rendezvous.Pick(claim.Key, _candidates.Span)];
    }

    // Only a client without state, whose request may be repeated elsewhere, can try a backend that was suspended because of traffic.
    private Backend? TryTakeTrial()
    {
        _mayTry = false;
        if (claim is { Known: not null } || (claim is { Key.IsNone: false })) return null;
        foreach (var suspended in Pool.Suspended)
        {
            if (!suspended.TryTakeTrial()) continue;
            Reason = DecisionReason.Trial;
            return _trial = suspended;
        }

        return null;
    }

    private void PassOverLast()
    {
        if (_last is null) return;
        Reason = DecisionReason.Retry;
        _candidates = _candidates.Without(_last);
        _last = null;
    }
}
