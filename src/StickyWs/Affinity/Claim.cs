using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// What one request has a claim on: the backend that holds its client's state. Made before a backend is chosen and settled when it has answered; from
/// then on whoever holds the lease keeps the pin alive. Belongs to one request; not for concurrent use until it is settled.
/// </summary>
internal sealed class Claim(RuleSet rules, bool isHttps, AffinityRule? awaits) : ILeaseEnd
{
    // A client that comes again within it is not held anew.
    private static readonly TimeSpan CutOffMemory = TimeSpan.FromMinutes(10);

    // Few and small: an open tunnel keeps them.
    private Backend? _away;
    private string? _settledOn;
    private PinKey _learnt;
    private List<PinKey>? _learntToo; // Seldom: one request, several rules that learn.
    private string? _cookieBackend;
    private bool _isCookieDue;

    /// <summary>Where it is in its part of <see cref="OpenClaims"/>, from 1, under the lock of that; 0 when it is not there.</summary>
    public int Place { get; set; }

    public RuleSet Rules { get; } = rules;

    /// <summary>The rule that may learn from the body of the answer, if any.</summary>
    public AffinityRule? Awaits => awaits;

    public KeySource Source { get; private set; }

    /// <summary>The key that decides; none for a new client.</summary>
    public PinKey Key { get; private set; }

    /// <summary>The backend to be asked first.</summary>
    public Backend? First { get; private set; }

    /// <summary>The name of the backend that has the client's state, as far as is known; it may be gone.</summary>
    public string? Known { get; private set; }

    /// <summary>The client's valid cookie, if it brought one.</summary>
    public ClientCookie? Cookie => _cookieBackend is null ? null : new ClientCookie(Identity, _cookieBackend, _isCookieDue);

    /// <summary>Who the client is to the backends: the cookie's pin where there are cookies, since that stays the same.</summary>
    private PinKey Identity { get; set; }

    /// <summary>Notes what the client's cookie says, or that it has none.</summary>
    public void Note(ClientCookie? cookie)
    {
        Identity = cookie?.Pin ?? PinKey.Random();
        _cookieBackend = cookie?.Backend;
        _isCookieDue = cookie?.IsDue == true;
    }

    /// <summary>A key that leads to a backend by name: of a pin, or of the cookie.</summary>
    public void Follow(KeySource source, PinKey key, string known, PoolSnapshot pool)
    {
        (Source, Key, Known, First, _away) = (source, key, known, null, null);
        if (Find(pool, known) is not { } backend) return;
        if (Serves(backend, pool)) First = backend;
        else _away = backend;
    }

    /// <summary>A key that leads to a backend by hashing.</summary>
    /// <param name="source"><see cref="KeySource.Hash"/> or <see cref="KeySource.Fallback"/>.</param>
    /// <param name="key">The key.</param>
    /// <param name="last">The name of the backend that it had last, as far as this process knows.</param>
    /// <param name="pool">The pool.</param>
    public void Hash(KeySource source, PinKey key, string? last, PoolSnapshot pool)
    {
        (Source, Key, Known) = (source, key, last);
        var owner = pool.Backends[Rendezvous.Pick(key, pool.Backends.AsSpan())];
        var had = last is null ? null : Find(pool, last);
        if (had == owner ? Serves(owner, pool) : TakesNew(owner, pool)) First = owner;
        else if (had is not null && !Serves(had, pool)) _away = had;
        else if (had is { State: BackendState.Draining }) First = had;
    }

    /// <summary>Whether the client is to wait for its backend, which is down or could not be reached just now.</summary>
    /// <param name="failed">The backend that was given and could not be reached, if any.</param>
    public bool IsHeld(Backend? failed)
    {
        var away = failed is null ? _away : Known is not null && IsNamed(failed, Known) ? failed : null;
        return away is not null && IsWorthWaitingFor(away);
    }

    /// <summary>Whether a client that is known stays with this backend or goes without.</summary>
    public bool IsBoundTo(Backend backend) => Rules.Options.HoldFor > TimeSpan.Zero && Known is not null && IsNamed(backend, Known);

    /// <summary>A backend's name as a header may hold it: what is not a letter, digit or one of <c>-._~</c> is percent-encoded.</summary>
    public static string HeaderTextOf(string name) => Uri.EscapeDataString(name);

    /// <summary>What a backend is told.</summary>
    public PinNotice NoticeFor(Backend backend)
    {
        var identity = !Identity.IsNone ? Identity : Source is KeySource.Pin or KeySource.Hash ? Key : default;
        return new PinNotice(identity.IsNone ? null : identity.ToString(), IsMovedTo(backend) ? HeaderTextOf(Known!) : null);
    }

    /// <summary>Takes note of a backend's answer. Completes when every instance can find what was learnt.</summary>
    public async ValueTask<ClientMarks> SettleAsync(Backend backend, IAnswerHead answer)
    {
        foreach (var rule in Rules.Learning)
        {
            if (rule.TryLearn(answer, out var key)) await LearnAsync(key, backend).ConfigureAwait(false);
        }

        if (Source == KeySource.Pin && IsMovedTo(backend)) await Rules.Pins.SaveAsync(Key, backend.Name, Rules.Options.PinLifetime).ConfigureAwait(false);
        Rules.Metrics.Affinity(backend.Pool, Known is null ? "new" : IsMovedTo(backend) ? "moved" : "kept");
        _settledOn = backend.Name;
        _ = RenewPinsAsync(backend.Name).AsTask();
        if (HasPin && awaits is null) Rules.Open.Add(this); // Or when the body has brought its key.
        if (Source == KeySource.Hash) Rules.Pins.NoteLast(Key, backend.Name, Rules.Options.PinLifetime);
        return new ClientMarks(CookieFor(backend), Rules.Options.RevealBackend ? HeaderTextOf(backend.Name) : null);
    }

    /// <summary>Remembers a key that a backend's answer brought.</summary>
    public ValueTask LearnAsync(PinKey key, Backend backend)
    {
        if (_learnt.IsNone) _learnt = key;
        else (_learntToo ??= []).Add(key);
        if (_settledOn is not null) Rules.Open.Add(this);
        return Rules.Pins.SaveAsync(key, backend.Name, Rules.Options.PinLifetime);
    }

    /// <summary>The request is held: it is answered without a backend.</summary>
    public void NoteHeld(string pool) => Rules.Metrics.Affinity(pool, "held");

    public void LeaseEnded(Backend backend)
    {
        if (_settledOn is null || !IsNamed(backend, _settledOn)) return;
        Rules.Open.Remove(this);
        _ = KeepAsync().AsTask();
    }

    /// <summary>Renews what leads to the backend that answered, unless it was moved meanwhile. Completes when the shared store has it.</summary>
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

    // One that drains serves whom it has while it is well; one that was not probed yet may have served them a moment ago; one that is merely
    // suspected is better asked than waited for.
    private bool Serves(Backend backend, PoolSnapshot pool)
        => backend.Health != BackendState.Unhealthy || pool.IsPanicking || (backend.IsSuspended && IsWorthWaitingFor(backend));

    private bool IsWorthWaitingFor(Backend away)
    {
        if (Rules.Options.HoldFor == TimeSpan.Zero || (away.IsGone && !Rules.Options.HoldWhenRefused)) return false;
        var since = away.AwaySince;
        var memory = (long)((Rules.Options.HoldFor + CutOffMemory).TotalSeconds * Rules.Time.TimestampFrequency);
        // A good answer was noted behind the verdict: lest the time never begins.
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

    /// <summary>The balancer's cookie.</summary>
    Cookie,

    /// <summary>A pin that was learnt.</summary>
    Pin,

    /// <summary>Hashing; the memory of the last backend is this process's own.</summary>
    Hash,

    /// <summary>Hashing of the client's address in place of pins that cannot be shared at the moment: nothing is remembered of it.</summary>
    Fallback,
}
