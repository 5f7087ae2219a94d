using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Names;

namespace StickyWs.Backends;

/// <summary>
/// A backend at run time. Its identity never changes; weight, health and draining are written only by the registry, its counts by leases. It outlives
/// its removal from the configuration for as long as there are leases of it.
/// </summary>
public sealed partial class Backend
{
    private volatile int _health;
    private volatile string? _healthCause;
    private volatile int _mode;
    private volatile string? _modeCause;
    private volatile PoolOptions _options = new();
    private Action<Backend>? _idle;
    private volatile bool _wasProbed;
    private volatile int _weight = 1;
    private long _toBackend;
    private long _toClient;
    private long _stateSince;
    private long _awaySince;
    private long _cutOffAt = long.MinValue / 2;
    private long _cutOffSince;
    private volatile bool _isGone;
    private volatile bool _isSuspended;
    private volatile bool _isHearsay;
    private int _trial;
    private long _sparedAt;
    private int _isUnreachable;

    internal Backend(string pool, string name, Uri address, TunnelTotal total, AddressBook? names = null, DateTimeOffset addedAt = default)
    {
        _stateSince = addedAt.UtcTicks;
        Pool = pool;
        Name = name;
        Address = address;
        Origin = address.GetLeftPart(UriPartial.Authority);
        EndPoint = IPAddress.TryParse(address.IdnHost, out var ip) ? new IPEndPoint(ip, address.Port) : null;
        Seed = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name.ToUpperInvariant())));
        _total = total;
        Names = names ?? AddressBook.System;
    }

    /// <summary>The name of its pool.</summary>
    public string Pool { get; }

    /// <summary>Its name within the pool.</summary>
    public string Name { get; }

    /// <summary>Its address: scheme, host and port.</summary>
    public Uri Address { get; }

    /// <summary>Its share of new work, 1 to 256.</summary>
    public int Weight => _weight;

    /// <summary>Its current state.</summary>
    public BackendState State => IsDraining ? BackendState.Draining : Health;

    /// <summary>Its health according to probes and traffic, also while it drains: then <see cref="State"/> does not show it.</summary>
    internal BackendState Health => (BackendState)_health;

    /// <summary>What it gets: all, or as far as it is drained.</summary>
    internal BackendMode Mode => (BackendMode)_mode;

    internal bool IsDraining => Mode != BackendMode.On;

    /// <summary>Whether its clients are to go elsewhere: pins to it do not count.</summary>
    internal bool IsHandedOff => Mode >= BackendMode.HandOff;

    /// <summary>What its <see cref="Mode"/> is by the configuration, whatever was ordered since.</summary>
    internal BackendMode ConfiguredMode { get; set; }

    /// <summary>The reason for its current <see cref="Mode"/>; <see langword="null"/> if that was never changed.</summary>
    internal string? ModeCause => _modeCause;

    /// <summary>The settings of its pool, those in force when it was last configured.</summary>
    internal PoolOptions Options => _options;

    /// <summary>Takes the settings of its pool.</summary>
    internal void Follow(PoolOptions options) => _options = options;

    /// <summary>Whether a first probe of it has ended, with whatever result.</summary>
    internal bool WasProbed => _wasProbed;

    /// <summary>Its address as text, without a trailing slash: the prefix of a request URI.</summary>
    internal string Origin { get; }

    /// <summary>Its address if that is an IP address; a name would have to be resolved anew each time.</summary>
    internal IPEndPoint? EndPoint { get; }

    /// <summary>Resolves its name.</summary>
    internal AddressBook Names { get; }

    /// <summary>Its seed for rendezvous hashing, derived from its name alone so that all instances have the same.</summary>
    internal ulong Seed { get; }

    /// <summary>
    /// The time of its first failure since its last success, as a <see cref="TimeProvider.GetTimestamp"/>; 0 if the last outcome was a success.
    /// </summary>
    internal long AwaySince => Interlocked.Read(ref _awaySince);

    internal long BytesToBackend => Interlocked.Read(ref _toBackend);

    internal long BytesToClient => Interlocked.Read(ref _toClient);

    /// <summary>Counts relayed payload; the only shared write per relayed message.</summary>
    internal void CountToBackend(long bytes) => Interlocked.Add(ref _toBackend, bytes);

    internal void CountToClient(long bytes) => Interlocked.Add(ref _toClient, bytes);

    /// <summary>Whether nothing listens at its address any more: its process has ended, and the client state it held is lost.</summary>
    internal bool IsGone => _isGone;

    /// <summary>Whether it was taken out on evidence that its clients may have caused themselves.</summary>
    internal bool IsSuspended => _isSuspended;

    /// <summary>Whether only failed connects of traffic took it out, and no probe or connect of the balancer's own has failed since.</summary>
    internal bool IsHearsay => _isHearsay;

    /// <summary>A probe or connect of the balancer's own has failed, too.</summary>
    internal void Confirm() => _isHearsay = false;

    /// <summary>Notes a failure; only the first one counts.</summary>
    internal void NoteAway(long timestamp) => Interlocked.CompareExchange(ref _awaySince, timestamp, 0);

    /// <summary>Notes that the balancer cannot reach it because of its own shortage, while others may be served on existing connections.</summary>
    /// <param name="now">The current <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="memory">In the same units: an older note is forgotten.</param>
    /// <returns>Since when it has lasted.</returns>
    internal long NoteCutOff(long now, long memory)
    {
        if (now - Interlocked.Exchange(ref _cutOffAt, now) > memory) Interlocked.Exchange(ref _cutOffSince, now);
        return Interlocked.Read(ref _cutOffSince);
    }

    /// <summary>Notes that it refused a connection.</summary>
    internal void NoteGone() => _isGone = true;

    /// <summary>Notes that it could not be reached.</summary>
    /// <returns>Whether it could be reached before.</returns>
    internal bool NoteUnreachable() => Interlocked.Exchange(ref _isUnreachable, 1) == 0;

    /// <summary>Notes that it is healthy.</summary>
    internal void NoteBack()
    {
        if (AwaySince != 0) Interlocked.Exchange(ref _awaySince, 0);
        if (_isGone) _isGone = false;
        if (Volatile.Read(ref _isUnreachable) != 0) Volatile.Write(ref _isUnreachable, 0);
    }

    /// <summary>Whether the log may say again that it stays in use despite evidence: at most once a minute.</summary>
    internal bool MaySaySpared(TimeProvider time)
    {
        var (now, last) = (time.GetTimestamp(), Interlocked.Read(ref _sparedAt));
        return (last == 0 || time.GetElapsedTime(last, now) >= TimeSpan.FromMinutes(1)) && Interlocked.CompareExchange(ref _sparedAt, now, last) == last;
    }

    /// <summary>The state of the one trial request that is let through while it is out.</summary>
    internal TrialState Trial => (TrialState)Volatile.Read(ref _trial);

    /// <summary>While it is out: lets one request through, unless one is already on its way.</summary>
    /// <param name="instead">The state to replace, once the wait for the earlier request is over.</param>
    internal void OfferTrial(TrialState instead = TrialState.None) => Interlocked.CompareExchange(ref _trial, (int)TrialState.Offered, (int)instead);

    /// <summary>Takes the one trial request.</summary>
    internal bool TryTakeTrial() => Interlocked.CompareExchange(ref _trial, (int)TrialState.Taken, (int)TrialState.Offered) == (int)TrialState.Offered;

    /// <summary>The trial request is over; its outcome was reported elsewhere.</summary>
    internal void EndTrial() => Interlocked.CompareExchange(ref _trial, (int)TrialState.None, (int)TrialState.Taken);

    /// <summary>The reason for its current health; <see langword="null"/> while nothing is known.</summary>
    internal string? HealthCause => _healthCause;

    /// <summary>When its <see cref="State"/> last changed.</summary>
    internal DateTimeOffset StateSince => new(Interlocked.Read(ref _stateSince), TimeSpan.Zero);

    internal void SetHealth(BackendState health, string cause, DateTimeOffset at, bool isSuspended = false, bool isHearsay = false)
    {
        (_isSuspended, _isHearsay, _healthCause, _health) = (isSuspended, isHearsay, cause, (int)health);
        Judge(health, cause, at, isSuspended, isHearsay);
        if (!IsDraining) Interlocked.Exchange(ref _stateSince, at.UtcTicks);
    }

    internal void SetMode(BackendMode mode, string cause, DateTimeOffset at)
    {
        var wasDraining = IsDraining;
        (_modeCause, _mode) = (cause, (int)mode);
        if (IsDraining != wasDraining) Interlocked.Exchange(ref _stateSince, at.UtcTicks);
    }

    /// <summary>
    /// Calls back, on any thread and perhaps several times, when its last tunnel or its last request has ended; <see langword="null"/> ends that. An
    /// end that is not reported happened before this returned.
    /// </summary>
    internal void WhenIdle(Action<Backend>? idle) => Interlocked.Exchange(ref _idle, idle);

    internal void NoteProbed() => _wasProbed = true;

    /// <inheritdoc/>
    public override string ToString() => $"{Pool}/{Name}";
}
