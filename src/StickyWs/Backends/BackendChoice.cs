using System.Net;
using StickyWs.Http1;

namespace StickyWs.Backends;

/// <summary>
/// Supplies the backends for one piece of work, one after the other. The dialer or sender asks for the next one when an attempt failed, and need not
/// know how it is chosen. Belongs to one request or handshake; not for concurrent use.
/// </summary>
internal abstract class BackendChoice(PoolSnapshot pool, LeaseKind kind)
{
    /// <summary>
    /// The pool as it was when the work was routed. After a wait or a failed attempt it is as it was when the current backend was chosen.
    /// </summary>
    public PoolSnapshot Pool { get; protected set; } = pool;

    public LeaseKind Kind { get; } = kind;

    /// <summary>Why the last call of <see cref="TryNext"/> returned no backend.</summary>
    public NoBackendReason Why { get; protected set; }

    /// <summary>The local reply if there is no backend and no attempt has failed before.</summary>
    public Refusal Refusal => Refuse(Why switch
    {
        NoBackendReason.Held => Refusal.Held,
        NoBackendReason.Full => Refusal.NoRoomForTunnel,
        NoBackendReason.QueueFull or NoBackendReason.QueueTimedOut or NoBackendReason.QueueClosed => Refusal.Busy,
        _ => Refusal.NoBackend,
    });

    /// <summary>Why the current backend was chosen, in a word; <see langword="null"/> if that is not known.</summary>
    public virtual string? ChosenBy => null;

    /// <summary>What became of the client's pin, in a word; <see langword="null"/> in a pool without affinity, or before a backend was chosen.</summary>
    public virtual string? PinOutcome => null;

    /// <summary>The server that a client whose TLS is passed through asks for (SNI); <see langword="null"/> for all others.</summary>
    public string? ServerName { get; set; }

    /// <summary>The address of the client, as far as it can be trusted; <see langword="null"/> if there is none.</summary>
    public virtual IPAddress? Client => null;

    /// <summary>A temporary refusal, with the pool's <c>Retry-After</c>, up to doubled so that clients that are refused together come back apart.</summary>
    public Refusal Refuse(Refusal refusal)
    {
        var seconds = (int)Math.Ceiling(Pool.Options.RetryAfter.TotalSeconds);
        return refusal.RetryAfter(TimeSpan.FromSeconds(seconds + Random.Shared.Next(seconds + 1)));
    }

    /// <summary>Whether it got no backend because too much is in progress at those that it may go to.</summary>
    public bool IsCrowdedOut => Why is NoBackendReason.QueueFull or NoBackendReason.QueueTimedOut or NoBackendReason.QueueClosed;

    /// <summary>
    /// Leases the next backend, never one that was returned before. The caller disposes the lease. Where there is none because of <see
    /// cref="NoBackendReason.Busy"/>, the caller may wait for one (<see cref="WaitAsync"/>).
    /// </summary>
    public abstract bool TryNext(out Lease lease);

    /// <summary>After <see cref="NoBackendReason.Busy"/>: waits for a place at one of these backends. Completes on any thread.</summary>
    /// <returns>The lease; <see langword="null"/> if there is none, see <see cref="Why"/>.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is leased.</exception>
    public abstract ValueTask<Lease?> WaitAsync(CancellationToken cancellationToken);

    /// <summary>What the current backend is told about the client.</summary>
    public virtual PinNotice Notice => default;

    /// <summary>
    /// Processes the response of the current backend, before the client gets it. Completes when every instance can find what was learned.
    /// </summary>
    public virtual ValueTask<ClientMarks> SettleAsync(IAnswerHead answer) => default;
}
