using System.Net;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Balancing;
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
    private bool _hadTurn;
    private bool _hasChanged;
    private bool _isLate;
    private Backend? _trial;
    private List<Backend>? _tried;
    private Backend? _waitsFor;
    private TimeSpan _waited;
    private bool? _isReturn;
    private ReturnLease? _return;
    private bool _mayTry = isRepeatable && !pool.Suspended.IsEmpty;

    /// <summary>Why the last backend was chosen.</summary>
    public DecisionReason Reason { get; private set; } = pool.IsPanicking ? DecisionReason.Panic : DecisionReason.Policy;

    /// <summary>Whether the pool has affinity rules.</summary>
    public bool IsSticky => claim is not null;

    /// <summary>Whether one of the pool's rules knows the client.</summary>
    public bool KnowsClient => claim is { Key.IsNone: false };

    /// <summary>Whether the response's body will be learnt from.</summary>
    public bool AwaitsBody => claim?.Awaits is not null;

    /// <summary>Where it waits for a place.</summary>
    public WaitingRoom Waits { get; init; } = WaitingRoom.Plain;

    /// <summary>The request, and the proxies that are trusted about its origin.</summary>
    public (RequestView Request, Networks Trusted)? Origin { get; init; }

    public override IPAddress? Client => Origin is { } origin ? ClientAddress.Of(origin.Request, origin.Trusted) : null;

    public override string? ChosenBy => _last is null ? null : Reason.ToString();

    public override string? PinOutcome
        => claim is null ? null : Why == NoBackendReason.Held ? Claim.Held : _last is null ? null : claim.OutcomeAt(_last);

    public override PinNotice Notice => claim is null || _last is null ? default : claim.NoticeFor(_last);

    public override bool TryNext(out Lease lease)
    {
        lease = default;
        _waitsFor = null;
        if (claim?.IsHeld(_last) == true)
        {
            claim.NoteHeld(Pool.Name, _last);
            Why = NoBackendReason.Held;
            return false;
        }

        PassOverLast();
        if (TryNextOf(out lease)) return true;
        if (Why != NoBackendReason.NoneEligible || !_hasChanged || _isLate) return false;

        // All that the pool had when this was routed were replaced since then. Its own backends serve it if the pool itself is no more.
        _isLate = true;
        Follow(Pool.Lines.Current, isForced: true);
        return TryNextOf(out lease);
    }

    private bool TryNextOf(out Lease lease)
    {
        lease = default;
        var isBusy = IsBehindOthers;
        var left = isBusy ? BackendSet.None : _candidates; // A trial is open to it all the same: those in line do not wait for that backend.
        while (Pick(left, out var isBound) is { } backend)
        {
            if (!MayHave(backend))
            {
                (_candidates, left, _hasChanged) = (_candidates.Without(backend), left.Without(backend), true);
                continue;
            }

            var result = TryLease(backend, isBound, out lease);
            if (result == LeaseResult.Granted) return true;
            if (result == LeaseResult.AllFull || (result == LeaseResult.BackendFull && claim?.IsBoundTo(backend) == true)) return Fail(NoBackendReason.Full);
            if (result == LeaseResult.Busy && isBound)
            {
                _waitsFor = backend;
                return Fail(NoBackendReason.Busy);
            }

            if (result == LeaseResult.Busy) isBusy |= backend != _trial;
            else PassOver(backend);
            _metFull |= result == LeaseResult.BackendFull;
            left = left.Without(backend);
        }

        return Fail(isBusy ? NoBackendReason.Busy : _metFull ? NoBackendReason.Full
            : Pool.Eligible.Count == 0 || _tried is null ? NoBackendReason.NoneEligible : NoBackendReason.AllTried);
    }

    public override async ValueTask<Lease?> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var isNewWork = _waitsFor is not null && claim?.IsKnownAt(_waitsFor) != true;
            var waiter = new Waiter(Pool, _waitsFor, _tried ?? [], maxTunnels, claim) { IsNewWork = isNewWork };
            var queue = Pool.Options.Queue;
            var left = queue.Timeout - _waited;
            var end = left > TimeSpan.Zero
                ? await Waits.WaitAsync(Pool, Kind, waiter, left, cancellationToken).ConfigureAwait(false)
                : (End: WaitEnd.TimedOut, Time: TimeSpan.Zero);
            _waited += end.Time;
            switch (end.End)
            {
                case WaitEnd.Granted:
                    Follow(waiter.Pool);
                    (_last, Why) = (waiter.Lease.Backend, NoBackendReason.None);
                    return _waitsFor is null && IsReturn() ? waiter.Lease.EndingWith(_return = new ReturnLease(Pool.Returns, claim)) : waiter.Lease;
                case WaitEnd.Left:
                    throw new OperationCanceledException(cancellationToken);
                case WaitEnd.Stranded when _waitsFor is null:
                    Why = NoBackendReason.NoneEligible;
                    return null;
                case WaitEnd.BackendFull when claim?.IsBoundTo(_waitsFor!) == true:
                    Why = NoBackendReason.Full;
                    return null;
                case WaitEnd.Stranded or WaitEnd.BackendFull:
                    _last = _waitsFor; // As if it had been tried: the client may have to wait for its return, or else is moved.
                    _metFull |= end.End == WaitEnd.BackendFull;
                    if (TryNext(out var lease)) return lease;
                    if (Why != NoBackendReason.Busy) return null;
                    break;
                default:
                    Why = ReasonOf(end.End);
                    return null;
            }
        }
    }

    /// <summary>Tries a backend first, unless the client has a claim on one by a rule of the pool.</summary>
    public void Prefer(Backend backend)
    {
        if (!KnowsClient && Pool.Eligible.Contains(backend)) _first = backend;
    }

    /// <summary>The work has had its turn, and perhaps been tried on a backend, before there was a decision.</summary>
    public void NoteTurn(Backend? tried) => (_hadTurn, _last) = (true, tried);

    public override ValueTask<ClientMarks> SettleAsync(IAnswerHead answer)
    {
        if (claim is null || _last is null) return default;
        if (claim.IsBack) _return?.Use(); // It is known there from now on.
        return claim.SettleAsync(_last, answer);
    }

    /// <summary>Whether the body is an incomplete piece of something to learn from.</summary>
    public static bool IsPart(ReadOnlySpan<byte> body) => TokenText.IsPart(body);

    /// <summary>Learns from a body, if <see cref="AwaitsBody"/>. Completes when every instance can find what was learnt.</summary>
    public ValueTask LearnAsync(ReadOnlySpan<byte> body)
    {
        if (!claim!.Awaits!.TryLearn(body, out var key)) return default;
        _return?.Use();
        return claim.LearnAsync(key, _last!);
    }

    // Those without a key go behind the others that wait for any backend: none has a place.
    private bool IsBehindOthers => _first is null && !KnowsClient && _candidates.Count > 0 && Pool.Lines.Of(Kind).HasWaitersForAny;

    // A place that is free for the moment, or a token that nobody has taken yet, belongs to the first in line.
    private bool IsBehindOthersAt(Backend backend, bool isBound)
        => !backend.IsFull(Kind) && (backend.IsAwaited(Kind) || (isBound && backend.IsEligible && Pool.Lines.Of(Kind).HasWaitersForAny));

    // The pool may be an old one: others may have been drained or taken out since.
    private bool MayHave(Backend backend)
        => backend.IsEligible || backend == _trial || claim?.IsKnownAt(backend) == true || (_isLate && !backend.IsHandedOff);

    private LeaseResult TryLease(Backend backend, bool isBound, out Lease lease)
    {
        lease = default;
        var result = IsBehindOthersAt(backend, isBound)
            ? LeaseResult.Busy
            : backend.TryLease(Kind, maxTunnels, out lease, EndAt(backend));
        if (result == LeaseResult.Granted)
        {
            (_last, Why) = (backend, NoBackendReason.None);
            return result;
        }

        lease = default;
        if (backend == _trial) backend.EndTrial(); // Nothing was tried.
        Pool.Lines.Of(Kind).Freed(backend);
        return result;
    }

    private ILeaseEnd? EndAt(Backend backend)
        => backend == _trial ? new TrialLease(claim) : _isReturn == true ? _return = new ReturnLease(Pool.Returns, claim) : claim;

    private static NoBackendReason ReasonOf(WaitEnd end) => end switch
    {
        WaitEnd.NoTunnel => NoBackendReason.Full,
        WaitEnd.Full or WaitEnd.FullForBackend => NoBackendReason.QueueFull,
        WaitEnd.TimedOut => NoBackendReason.QueueTimedOut,
        _ => NoBackendReason.QueueClosed,
    };

    private bool Fail(NoBackendReason why)
    {
        Why = why;
        if (_isReturn == true) Pool.Returns.Expect(); // It got no lease that could give it back.
        (_isReturn, _return) = (null, null);
        return false;
    }

    // A client is bound to the backend where its key leads: its state is there, or will be, and all instances agree on it.
    private Backend? Pick(BackendSet candidates, out bool isBound)
    {
        isBound = true;
        if (_first is { } first)
        {
            _first = null;
            Reason = DecisionReason.Affinity;
            if (claim is { IsBack: true }) IsReturn(); // It follows another tunnel of its client that was told to go, and is as much expected.
            return first;
        }

        var isReleased = claim is { IsReleased: true };
        isBound = KnowsClient && !isReleased;
        if (_mayTry && TryTakeTrial() is { } suspended) return suspended;
        if (candidates.Count == 0) return null;
        if (claim is not { Key.IsNone: false }) return IsReturn() ? Load.Emptiest(candidates, NextTurn()) : candidates[policy.Pick(candidates, NextTurn())];
        if (Reason != DecisionReason.Retry) Reason = claim.Known is null ? DecisionReason.Affinity : DecisionReason.Moved;
        return isReleased && IsReturn() ? Load.Emptiest(candidates, NextTurn()) : candidates[Rendezvous.Pick(claim.Key, candidates.Span)];
    }

    // Some clients were told to go so that the backends are evenly used: as many new sessions go to the emptiest one. A session may begin with a request
    // whose answer pins the client (SignalR's negotiation).
    private bool IsReturn() => _isReturn ??= (Kind == LeaseKind.Tunnel || AwaitsBody || claim is { IsBack: true }) && Pool.Returns.TryTake();

    private uint NextTurn()
    {
        if (_hadTurn) return Pool.Turns.NextAgain();
        _hadTurn = true;
        return Pool.Turns.Next();
    }

    // Only a client without state, whose request may be repeated elsewhere, can try a backend that was suspended because of traffic.
    private Backend? TryTakeTrial()
    {
        _mayTry = false;
        if (claim is { Known: not null } || KnowsClient) return null;
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
        Follow(Pool.Lines.Current);
        PassOver(_last);
        (_last, _isReturn, _return) = (null, null, null); // Its lease gives back what it took.
    }

    // After an attempt or a wait the pool may not be what it was: backends have come and gone.
    private void Follow(PoolSnapshot? current, bool isForced = false)
    {
        if (current?.IsReachedLike(Pool) != true) current = Pool;
        if (ReferenceEquals(current, Pool) && !isForced) return;
        Pool = current;
        _candidates = current.Eligible;
        for (var i = 0; i < _tried?.Count; i++) _candidates = _candidates.Without(_tried[i]);
    }

    private void PassOver(Backend backend)
    {
        Reason = DecisionReason.Retry;
        (_tried ??= []).Add(backend);
        _candidates = _candidates.Without(backend);
    }
}
