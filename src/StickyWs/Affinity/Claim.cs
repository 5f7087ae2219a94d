using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// A request's claim on the backend that holds its client's state. Made before a backend is chosen and settled once that has answered; from then on
/// the holder of the lease keeps the pin alive. Belongs to one request; not for concurrent use until it is settled.
/// </summary>
internal sealed class Claim(RuleSet rules, bool isHttps, AffinityRule? awaits) : ILeaseEnd
{
    /// <summary>What became of the pin of a client that has to wait for its backend.</summary>
    public const string Held = "held";

    // A client that returns within this time is not held again.
    private static readonly TimeSpan CutOffMemory = TimeSpan.FromMinutes(10);

    // Few and small, because an open tunnel keeps them.
    private Backend? _away;
    private string? _settledOn;
    private PinKey _learnt;
    private List<PinKey>? _learntToo; // Rare: several learning rules on one request.
    private string? _cookieBackend;
    private bool _isCookieDue;
    private Return _return;

    /// <summary>Its index in its part of <see cref="OpenClaims"/>, from 1, guarded by that part's lock; 0 when it is not in there.</summary>
    public int Place { get; set; }

    public RuleSet Rules { get; } = rules;

    /// <summary>The rule that may learn from the response body, if any.</summary>
    public AffinityRule? Awaits => awaits;

    public KeySource Source { get; private set; }

    /// <summary>The key that decides; none for a new client.</summary>
    public PinKey Key { get; private set; }

    /// <summary>The backend to try first.</summary>
    public Backend? First { get; private set; }

    /// <summary>The name of the backend that has the client's state, as far as is known; that backend may be gone.</summary>
    public string? Known { get; private set; }

    /// <summary>Whether the request opens a tunnel, or is the first of those that do: a client that was told to go moves with it, and not before.</summary>
    public bool MayLeave { get; init; }

    /// <summary>Whether the client was told to leave the backend that it is known at: it may go to any, and is then known there.</summary>
    public bool IsReleased => _return == Return.Released;

    /// <summary>Whether a tunnel of the client was told to go, and comes back with this request.</summary>
    public bool IsBack => _return != Return.None;

    public ClientTie Tie => Source is KeySource.Hash or KeySource.Fallback ? ClientTie.Hashed
        : Source != KeySource.None || !_learnt.IsNone || Rules.Cookie is not null ? ClientTie.Pinned : ClientTie.None;

    public UInt128 Pin
    {
        get
        {
            var key = !Identity.IsNone ? Identity : Source is KeySource.Pin or KeySource.Hash ? Key : _learnt;
            return new UInt128(key.High, key.Low);
        }
    }

    /// <summary>The client's valid cookie, if it sent one.</summary>
    public ClientCookie? Cookie => _cookieBackend is null ? null : new ClientCookie(Identity, _cookieBackend, _isCookieDue);

    /// <summary>The client's identity towards backends: the cookie's pin where there is a cookie, since that stays the same.</summary>
    private PinKey Identity { get; set; }

    /// <summary>Notes the content of the client's cookie, or that there is none.</summary>
    public void Note(ClientCookie? cookie)
    {
        Identity = cookie?.Pin ?? PinKey.Random();
        _cookieBackend = cookie?.Backend;
        _isCookieDue = cookie?.IsDue == true;
    }

    /// <summary>Applies a key that leads to a backend by name: that of a pin, or of the cookie.</summary>
    public void Follow(KeySource source, PinKey key, string known, PoolSnapshot pool)
    {
        var wasTaken = IsBack && Key == key && known.Equals(Known, StringComparison.OrdinalIgnoreCase);
        if (!wasTaken) _return = MayLeave ? Rules.Services.Releases.TryTake(key, known) : Return.None;
        (Source, Key, Known, First, _away) = (source, key, known, null, null);
        if (IsReleased) return;
        if (Find(pool, known) is not { } backend) return;
        if (Serves(backend, pool)) First = backend;
        else _away = backend; // Of one that is handed off, nobody waits for it.
    }

    /// <summary>Applies a key that leads to a backend by hashing.</summary>
    /// <param name="source"><see cref="KeySource.Hash"/> or <see cref="KeySource.Fallback"/>.</param>
    /// <param name="key">The key.</param>
    /// <param name="last">The name of the key's last backend, as far as this process knows.</param>
    /// <param name="pool">The pool.</param>
    public void Hash(KeySource source, PinKey key, string? last, PoolSnapshot pool)
    {
        (Source, Key, Known) = (source, key, last);
        var owner = pool.Backends[Rendezvous.Pick(key, pool.Backends.AsSpan())];
        var had = last is null ? null : Find(pool, last);
        if (had == owner ? Serves(owner, pool) : TakesNew(owner, pool)) First = owner;
        else if (had is not null && !Serves(had, pool)) _away = had;
        else if (had is { IsDraining: true }) First = had;
    }

    /// <summary>Whether the client must wait for its backend, which is down or just could not be reached.</summary>
    /// <param name="failed">The backend that was tried and could not be reached, if any.</param>
    public bool IsHeld(Backend? failed)
    {
        var away = failed is null ? _away : Known is not null && IsNamed(failed, Known) ? failed : null;
        return away is not null && IsWorthWaitingFor(away);
    }

    /// <summary>Whether a known client must use this backend or none.</summary>
    public bool IsBoundTo(Backend backend) => Rules.Options.HoldFor > TimeSpan.Zero && IsKnownAt(backend);

    /// <summary>Whether this backend has the client's state, as far as is known.</summary>
    public bool IsKnownAt(Backend backend) => Known is not null && IsNamed(backend, Known);

    /// <summary>A backend's name as a header value: everything but letters, digits and <c>-._~</c> is percent-encoded.</summary>
    public static string HeaderTextOf(string name) => Uri.EscapeDataString(name);

    /// <summary>What the backend is told about the client.</summary>
    public PinNotice NoticeFor(Backend backend)
    {
        var identity = !Identity.IsNone ? Identity : Source is KeySource.Pin or KeySource.Hash ? Key : default;
        return new PinNotice(identity.IsNone ? null : identity.ToString(), IsMovedTo(backend) ? HeaderTextOf(Known!) : null);
    }

    /// <summary>What became of the client's pin when this backend was chosen: the value of the metric tag <c>stickyws.affinity.outcome</c>.</summary>
    public string OutcomeAt(Backend backend) => Known is null ? "new" : IsMovedTo(backend) ? "moved" : "kept";

    /// <summary>Processes the head of a backend's response. Completes when every instance can find what was learned.</summary>
    public async ValueTask<ClientMarks> SettleAsync(Backend backend, IAnswerHead answer)
    {
        foreach (var rule in Rules.Learning)
        {
            if (rule.TryLearn(answer, out var key)) await LearnAsync(key, backend).ConfigureAwait(false);
        }

        if (Source == KeySource.Pin && IsMovedTo(backend)) await Rules.Pins.SaveAsync(Key, backend.Name, Rules.Options.PinLifetime).ConfigureAwait(false);
        Rules.Metrics.Affinity(backend.Pool, OutcomeAt(backend));
        backend.Note(Known is null ? WorkCounter.New : IsMovedTo(backend) ? WorkCounter.Moved : WorkCounter.Kept);
        _settledOn = backend.Name;
        _ = RenewPinsAsync(backend.Name).AsTask();
        if (HasPin && awaits is null) Rules.Open.Add(this); // Otherwise once the body has supplied the key.
        if (Source == KeySource.Hash) Rules.Pins.NoteLast(Key, backend.Name, Rules.Options.PinLifetime);
        return new ClientMarks(CookieFor(backend), Rules.Options.RevealBackend ? HeaderTextOf(backend.Name) : null);
    }

    /// <summary>Remembers a key from a backend's response.</summary>
    public ValueTask LearnAsync(PinKey key, Backend backend)
    {
        if (_learnt.IsNone) _learnt = key;
        else (_learntToo ??= []).Add(key);
        if (_settledOn is not null) Rules.Open.Add(this);
        return Rules.Pins.SaveAsync(key, backend.Name, Rules.Options.PinLifetime);
    }

    /// <summary>Counts the request as held: it is answered without a backend.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="failed">The backend that was tried and could not be reached, if any.</param>
    public void NoteHeld(string pool, Backend? failed)
    {
        Rules.Metrics.Affinity(pool, Held);
        (failed ?? _away)?.Note(WorkCounter.Held);
    }

    public void LeaseEnded(Backend backend)
    {
        if (_settledOn is null || !IsNamed(backend, _settledOn)) return;
        Rules.Open.Remove(this);
        _ = KeepAsync().AsTask();
    }

    // By whichever of its keys the client comes back: each once, though it may be two things.
    public void Release(Backend backend)
    {
        HashSet<PinKey> keys = [_learnt, .. _learntToo ?? []];
        if (Source is KeySource.Cookie or KeySource.Pin) keys.Add(Key);
        if (Rules.Cookie is not null) keys.Add(Identity);
        foreach (var key in keys) Rules.Services.Releases.Add(key, backend);
    }

    /// <summary>
    /// Renews the pins that lead to the backend that answered, unless the client was moved meanwhile. Completes when the shared store has them.
    /// </summary>
    public ValueTask KeepAsync()
    {
        if (Source == KeySource.Hash) Rules.Pins.RenewLast(Key, _settledOn!, Rules.Options.PinLifetime);
        return RenewPinsAsync(_settledOn!);
    }

    private async ValueTask RenewPinsAsync(string backend)
    {
        var lifetime = Rules.Options.PinLifetime;
        if (Source == KeySource.Pin) await Rules.Pins.RenewAsync(Key, backend, lifetime).ConfigureAwait(false);
        if (!_learnt.IsNone) await Rules.Pins.RenewAsync(_learnt, backend, lifetime).ConfigureAwait(false);
        for (var i = 0; i < _learntToo?.Count; i++) await Rules.Pins.RenewAsync(_learntToo[i], backend, lifetime).ConfigureAwait(false);
    }

    private string? CookieFor(Backend backend)
    {
        if (Rules.Cookie is null) return null;
        if (Cookie is not { } cookie) return Rules.Cookie.Issue(Identity, backend.Name, isHttps);
        if (Source == KeySource.Cookie && IsMovedTo(backend)) return Rules.Cookie.Issue(cookie.Pin, backend.Name, isHttps);
        return cookie.IsDue ? Rules.Cookie.Issue(cookie.Pin, cookie.Backend, isHttps) : null;
    }

    private bool HasPin => Source is KeySource.Pin or KeySource.Hash || !_learnt.IsNone;

    private bool IsMovedTo(Backend backend) => Known is not null && !IsNamed(backend, Known);

    private static bool IsNamed(Backend backend, string name) => backend.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static Backend? Find(PoolSnapshot pool, string name)
    {
        foreach (var backend in pool.Backends)
        {
            if (IsNamed(backend, name)) return backend;
        }

        return null;
    }

    private static bool TakesNew(Backend backend, PoolSnapshot pool)
    {
        foreach (var eligible in pool.Eligible.Span)
        {
            if (eligible == backend) return true;
        }

        return false;
    }

    // A stopped backend serves its existing clients while it is healthy, and one that is handed off none. One that has not been probed yet may have
    // served them a moment ago. One that is merely suspected is better tried than waited for.
    private bool Serves(Backend backend, PoolSnapshot pool)
        => !backend.IsHandedOff
            && (backend.Health != BackendState.Unhealthy || pool.IsPanicking || (backend.IsSuspended && IsWorthWaitingFor(backend)));

    private bool IsWorthWaitingFor(Backend away)
    {
        if (away.IsHandedOff || Rules.Options.HoldFor == TimeSpan.Zero || (away.IsGone && !Rules.Options.HoldWhenRefused)) return false;
        var since = away.AwaySince;
        var memory = (long)((Rules.Options.HoldFor + CutOffMemory).TotalSeconds * Rules.Time.TimestampFrequency);
        // A success was noted after the verdict: without this the time would never start.
        if (since == 0 && away.Health == BackendState.Unhealthy) away.NoteAway(Rules.Time.GetTimestamp());
        else if (since == 0) since = away.NoteCutOff(Rules.Time.GetTimestamp(), memory);
        return since == 0 || Rules.Time.GetElapsedTime(since) < Rules.Options.HoldFor;
    }
}

/// <summary>Where the key of a request came from.</summary>
internal enum KeySource
{
    /// <summary>The client is new.</summary>
    None,

    /// <summary>The cookie issued by the balancer.</summary>
    Cookie,

    /// <summary>A learned pin.</summary>
    Pin,

    /// <summary>Hashing; the last backend is remembered by this process alone.</summary>
    Hash,

    /// <summary>Hashing of the client's address instead of pins that cannot be shared at the moment: nothing is remembered.</summary>
    Fallback,
}
