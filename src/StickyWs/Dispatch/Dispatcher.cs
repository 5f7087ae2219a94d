using System.Net;
using Microsoft.AspNetCore.Http;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Http1;

namespace StickyWs.Dispatch;

/// <summary>
/// Turns requests into decisions, for both lanes and for plain HTTP. Does no I/O, except that affinity may ask a shared pin store.
/// </summary>
internal sealed class Dispatcher
{
    private readonly BackendRegistry _registry;
    private readonly PolicyTable _policies;
    private readonly ClaimResolver _claims;
    private readonly WaitingRoom _waits;
    private volatile PoolMatcher _matcher;

    public Dispatcher(BackendRegistry registry, PolicyTable policies, ClaimResolver claims, WaitingRoom? waits = null)
    {
        _registry = registry;
        _policies = policies;
        _claims = claims;
        _waits = waits ?? WaitingRoom.Plain;
        _matcher = new PoolMatcher(registry.Current);
    }

    /// <summary>Finds the pool of a sniffed handshake, and prepares its choice of backends.</summary>
    /// <param name="head">The handshake.</param>
    /// <param name="peer">The peer of its connection.</param>
    /// <param name="isHttps">Whether it came over TLS.</param>
    /// <returns>
    /// <see langword="null"/> if the request matches no pool and is left to the application, or if its pool wants it to pass through the pipeline
    /// first.
    /// </returns>
    public ValueTask<Decision?> DecideAsync(RequestHead head, IPAddress? peer, bool isHttps)
        => DecideAsync(head.Host, LeaseKind.Tunnel, new RequestView(head, peer, isHttps), isSniffed: true);

    /// <summary>The same for a request that Kestrel parsed.</summary>
    /// <param name="request">The request.</param>
    /// <param name="kind">What the backends are for.</param>
    /// <param name="path">The decoded path that goes to the backend, if it differs from the request's own.</param>
    public ValueTask<Decision?> DecideAsync(HttpRequest request, LeaseKind kind, string? path = null)
        => DecideAsync(request.Host.Value, kind, new RequestView(request, path), isSniffed: false);

    /// <summary>Whether the TLS of some server names is passed through, so that connections have to be asked for theirs.</summary>
    public bool HasServerNames => Matcher(_registry.Current).HasServerNames;

    /// <summary>Finds the pool to which a connection's TLS is passed through, and prepares its choice of backends.</summary>
    /// <param name="serverName">The server that the client asks for.</param>
    /// <param name="peer">The peer of its connection.</param>
    /// <returns><see langword="null"/> if its TLS is not passed through.</returns>
    public async ValueTask<Decision?> DecideAsync(string serverName, IPAddress? peer)
    {
        var snapshot = _registry.Current;
        if (Matcher(snapshot).MatchServerName(serverName) is not { } pool) return null;
        var decision = await DecideAsync(snapshot, pool, LeaseKind.Tunnel, new RequestView(peer)).ConfigureAwait(false);
        decision!.ServerName = serverName;
        return decision;
    }

    /// <summary>The pool of a plain request whose path needs no decoding; <see langword="null"/> if it belongs to none.</summary>
    public PoolSnapshot? Find(ReadOnlySpan<char> host, ReadOnlySpan<char> path) => Matcher(_registry.Current).Match(host, path);

    /// <summary>
    /// Leases the backend whose turn it is for a plain request of a pool without rules. The usual case costs no object; in any other a decision has to be
    /// made (<see cref="Decide(PoolSnapshot, bool, bool, Backend?)"/>).
    /// </summary>
    /// <param name="pool">The pool.</param>
    /// <param name="hadTurn">Whether the request has had its turn, even if it got no backend.</param>
    /// <param name="lease">The lease.</param>
    public bool TryLease(PoolSnapshot pool, out bool hadTurn, out Lease lease)
    {
        lease = default;
        hadTurn = pool.Eligible.Count > 0 && pool.Suspended.IsEmpty && !pool.Lines.Requests.HasWaitersForAny;
        if (!hadTurn) return false;
        var backend = pool.Eligible[_policies.Get(pool.Options.Policy).Pick(pool.Eligible, pool.Turns.Next())];
        if (!backend.IsEligible || backend.IsAwaited(LeaseKind.Request)) return false;
        if (backend.TryLease(LeaseKind.Request, int.MaxValue, out lease) == LeaseResult.Granted) return true;
        lease = default;
        pool.Lines.Requests.Freed(backend);
        return false;
    }

    /// <summary>Decides on a plain request of a pool without rules.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="isRepeatable">Whether it may try a suspended backend.</param>
    /// <param name="hadTurn">Whether it has had its turn.</param>
    /// <param name="tried">The backend that it was tried on.</param>
    public Decision Decide(PoolSnapshot pool, bool isRepeatable, bool hadTurn, Backend? tried = null)
    {
        var decision = new Decision(pool, LeaseKind.Request, _policies.Get(pool.Options.Policy), int.MaxValue, isRepeatable: isRepeatable) { Waits = _waits };
        if (hadTurn) decision.NoteTurn(tried);
        return decision;
    }

    /// <summary>Decides on a plain request of a pool with rules that Kestrel did not parse.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="request">The request.</param>
    /// <returns><see langword="null"/> if a rule has to wait for the shared store, or to read the response's body: nothing has happened then.</returns>
    public Decision? Decide(PoolSnapshot pool, in RequestView request)
    {
        if (MayWait(pool) || _claims.AwaitsBody(pool, request)) return null;
        var claiming = _claims.ResolveAsync(pool, request, isTunnel: false);
        return claiming.IsCompletedSuccessfully ? Decide(_registry.Current, pool, LeaseKind.Request, request, claiming.Result) : null;
    }

    /// <summary>Whether requests of a pool may have to wait for the shared store.</summary>
    public bool MayWait(PoolSnapshot pool) => _claims.MayWait(pool);

    /// <summary>Whether a request that Kestrel parsed belongs to a pool.</summary>
    public bool HasPool(HttpRequest request, string path) => Matcher(_registry.Current).Match(request.Host.Value, path) is not null;

    private PoolMatcher Matcher(RegistrySnapshot snapshot)
    {
        var matcher = _matcher;
        if (!matcher.IsFor(snapshot)) _matcher = matcher = matcher.Follow(snapshot);
        return matcher;
    }

    private ValueTask<Decision?> DecideAsync(ReadOnlySpan<char> host, LeaseKind kind, in RequestView request, bool isSniffed)
    {
        var snapshot = _registry.Current;
        var pool = Matcher(snapshot).Match(host, request.Path);
        if (pool is null || (isSniffed && pool.Options.WebSockets == WebSocketMode.Pipeline)) return default;
        return DecideAsync(snapshot, pool, kind, request);
    }

    private ValueTask<Decision?> DecideAsync(RegistrySnapshot snapshot, PoolSnapshot pool, LeaseKind kind, in RequestView request)
    {
        var claiming = _claims.ResolveAsync(pool, request, kind == LeaseKind.Tunnel);
        return claiming.IsCompletedSuccessfully
            ? new ValueTask<Decision?>(Decide(snapshot, pool, kind, request, claiming.Result))
            : WaitAsync(claiming, snapshot, pool, kind, request);
    }

    // Which requests may try a suspended backend. A POST that asks for an upgrade might already have been acted on.
    private static bool MayTry(PoolSnapshot pool, LeaseKind kind, in RequestView request)
        => !pool.Suspended.IsEmpty && (request.IsRepeatable || (kind == LeaseKind.Tunnel && !request.IsRequest(HttpMethods.Post)));

    private async ValueTask<Decision?> WaitAsync(
        ValueTask<Claim?> claiming, RegistrySnapshot snapshot, PoolSnapshot pool, LeaseKind kind, RequestView request)
        => Decide(snapshot, pool, kind, request, await claiming.ConfigureAwait(false));

    private Decision Decide(RegistrySnapshot snapshot, PoolSnapshot pool, LeaseKind kind, in RequestView request, Claim? claim)
        => new(pool, kind, _policies.Get(pool.Options.Policy), snapshot.Options.MaxTunnels ?? int.MaxValue, claim, MayTry(pool, kind, request))
        {
            Origin = (request, snapshot.TrustedProxies),
            Waits = _waits,
        };
}
