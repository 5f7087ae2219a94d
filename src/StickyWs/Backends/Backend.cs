using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using StickyWs.Names;

namespace StickyWs.Backends;

/// <summary>
/// A backend as it lives: its identity never changes, its weight, health and draining are written by the registry alone, its counts by the
/// leases. It outlives its removal from the configuration for as long as something holds a lease of it.
/// </summary>
public sealed class Backend
{
    private readonly TunnelTotal _total;
    private volatile int _health;
    private volatile string? _healthCause;
    private volatile bool _isDraining;
    private volatile bool _wasProbed;
    private volatile int _weight = 1;
    private volatile int _maxTunnels = int.MaxValue;
    private int _tunnels;
    private int _requests;
    private long _toBackend;
    private long _toClient;
    private long _stateSince;
    private long _awaySince;
    private long _cutOffAt = long.MinValue / 2;
    private long _cutOffSince;
    private volatile bool _isGone;
    private volatile bool _isSuspended;
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

    /// <summary>The name of the pool it belongs to.</summary>
    public string Pool { get; }

    /// <summary>Its name within the pool.</summary>
    public string Name { get; }

    /// <summary>Where it listens: scheme, host and port.</summary>
    public Uri Address { get; }

    /// <summary>Its share of new work, 1 to 256.</summary>
    public int Weight => _weight;

    /// <summary>The most tunnels that it holds; <see langword="null"/> for no limit.</summary>
    internal int? MaxTunnels => _maxTunnels is var most && most == int.MaxValue ? null : most;

    /// <summary>What the registry knows of it now.</summary>
    public BackendState State => _isDraining ? BackendState.Draining : Health;

    /// <summary>Tunnels it holds, handshakes under way included.</summary>
    public int ActiveTunnels => Volatile.Read(ref _tunnels);

    /// <summary>Plain HTTP requests it works on.</summary>
    public int ActiveRequests => Volatile.Read(ref _requests);

    /// <summary>What probes and traffic say of it, also while it drains: then <see cref="State"/> does not show it.</summary>
    internal BackendState Health => (BackendState)_health;

    internal bool IsDraining => _isDraining;

    /// <summary>Whether a first probe of it has ended, whatever came of that.</summary>
    internal bool WasProbed => _wasProbed;

    /// <summary>Its address as text, without a slash at the end: what a target is put behind.</summary>
    internal string Origin { get; }

    /// <summary>Its address when that is no name, which would have to be looked up anew each time.</summary>
    internal IPEndPoint? EndPoint { get; }

    /// <summary>Who knows the addresses of its name.</summary>
    internal AddressBook Names { get; }

    /// <summary>Its part in rendezvous hashing: by its name alone, so that all instances have the same.</summary>
    internal ulong Seed { get; }

    /// <summary>Since when nothing good was heard of it, as <see cref="TimeProvider.GetTimestamp"/> has it; 0 when the last that was heard is good.</summary>
    internal long AwaySince => Interlocked.Read(ref _awaySince);

    internal long BytesToBackend => Interlocked.Read(ref _toBackend);

    internal long BytesToClient => Interlocked.Read(ref _toClient);

    /// <summary>Counts relayed payload; the one shared write that a relayed message costs.</summary>
    internal void CountToBackend(long bytes) => Interlocked.Add(ref _toBackend, bytes);

    internal void CountToClient(long bytes) => Interlocked.Add(ref _toClient, bytes);

    internal void Configure(int weight, int? maxTunnels)
    {
        _weight = weight;
        _maxTunnels = maxTunnels ?? int.MaxValue;
    }

    /// <summary>Whether nobody listens at its address any more: its process ended, and with it whatever state it held for a client.</summary>
    internal bool IsGone => _isGone;

    /// <summary>Whether it is out on evidence that its clients may have made themselves.</summary>
    internal bool IsSuspended => _isSuspended;

    /// <summary>Notes that it failed; the first time counts.</summary>
    internal void NoteAway(long timestamp) => Interlocked.CompareExchange(ref _awaySince, timestamp, 0);

    /// <summary>Notes that the balancer cannot reach it for want of something of its own, while others may be served on connections that they have.</summary>
    /// <param name="now">Now, as <see cref="TimeProvider.GetTimestamp"/> has it.</param>
    /// <param name="memory">In the same units: what was longer ago is another matter.</param>
    /// <returns>Since when.</returns>
    internal long NoteCutOff(long now, long memory)
    {
        if (now - Interlocked.Exchange(ref _cutOffAt, now) > memory) Interlocked.Exchange(ref _cutOffSince, now);
        return Interlocked.Read(ref _cutOffSince);
    }

    /// <summary>Notes that it refused a connection.</summary>
    internal void NoteGone() => _isGone = true;

    /// <summary>Notes that it could not be reached.</summary>
    /// <returns>Whether it could before.</returns>
    internal bool NoteUnreachable() => Interlocked.Exchange(ref _isUnreachable, 1) == 0;

    /// <summary>Notes that it is well.</summary>
    internal void NoteBack()
    {
        if (AwaySince != 0) Interlocked.Exchange(ref _awaySince, 0);
        if (_isGone) _isGone = false;
        if (Volatile.Read(ref _isUnreachable) != 0) Volatile.Write(ref _isUnreachable, 0);
    }

    /// <summary>Whether the log may say once more that it stays in use in spite of evidence: at most once a minute.</summary>
    internal bool MaySaySpared(TimeProvider time)
    {
        var (now, last) = (time.GetTimestamp(), Interlocked.Read(ref _sparedAt));
        return (last == 0 || time.GetElapsedTime(last, now) >= TimeSpan.FromMinutes(1)) && Interlocked.CompareExchange(ref _sparedAt, now, last) == last;
    }

    /// <summary>What became of the one request that is let through while it is out.</summary>
    internal TrialState Trial => (TrialState)Volatile.Read(ref _trial);

    /// <summary>While it is out: lets one request through, unless one is on its way.</summary>
    /// <param name="instead">Or what that one has come to, when it was waited for long enough.</param>
    internal void OfferTrial(TrialState instead = TrialState.None) => Interlocked.CompareExchange(ref _trial, (int)TrialState.Offered, (int)instead);

    /// <summary>Takes the one request that is let through.</summary>
    internal bool TryTakeTrial() => Interlocked.CompareExchange(ref _trial, (int)TrialState.Taken, (int)TrialState.Offered) == (int)TrialState.Offered;

    /// <summary>That request is over; whether it was good was reported elsewhere.</summary>
    internal void EndTrial() => Interlocked.CompareExchange(ref _trial, (int)TrialState.None, (int)TrialState.Taken);

    /// <summary>Why it has the health that it has; <see langword="null"/> while nothing is known.</summary>
    internal string? HealthCause => _healthCause;

    /// <summary>When its <see cref="State"/> changed last.</summary>
    internal DateTimeOffset StateSince => new(Interlocked.Read(ref _stateSince), TimeSpan.Zero);

    internal void SetHealth(BackendState health, string cause, DateTimeOffset at, bool isSuspended = false)
    {
        (_isSuspended, _healthCause, _health) = (isSuspended, cause, (int)health);
        if (!_isDraining) Interlocked.Exchange(ref _stateSince, at.UtcTicks);
    }

    internal void SetDraining(bool isDraining, DateTimeOffset at)
    {
        _isDraining = isDraining;
        Interlocked.Exchange(ref _stateSince, at.UtcTicks);
    }

    internal void NoteProbed() => _wasProbed = true;

    internal LeaseResult TryLease(LeaseKind kind, int maxTunnelsInAll, out Lease lease, ILeaseEnd? end = null)
    {
        lease = new Lease(this, kind, end);
        if (kind == LeaseKind.Request)
        {
            Interlocked.Increment(ref _requests);
            return LeaseResult.Granted;
        }

        // The backend first: the places of the process are wanted by more.
        if (!TunnelTotal.TryAdd(ref _tunnels, _maxTunnels)) return LeaseResult.BackendFull;
        if (_total.TryAdd(maxTunnelsInAll)) return LeaseResult.Granted;
        Interlocked.Decrement(ref _tunnels);
        return LeaseResult.AllFull;
    }

    internal void Return(LeaseKind kind)
    {
        if (kind == LeaseKind.Request)
        {
            Interlocked.Decrement(ref _requests);
            return;
        }

        Interlocked.Decrement(ref _tunnels);
        _total.Remove();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Pool}/{Name}";
}
