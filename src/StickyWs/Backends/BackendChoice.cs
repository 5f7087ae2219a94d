using System.Net;
using StickyWs.Http1;

namespace StickyWs.Backends;

/// <summary>
/// Where the backends for one piece of work come from, one after the other. Whoever dials or sends asks for the next one when an
/// attempt failed, and need not know how it is chosen. Belongs to one request or handshake; not for concurrent use.
/// </summary>
internal abstract class BackendChoice(PoolSnapshot pool, LeaseKind kind)
{
    /// <summary>The pool as it was when the work was routed.</summary>
    public PoolSnapshot Pool { get; } = pool;

    public LeaseKind Kind { get; } = kind;

    /// <summary>Why the last call of <see cref="TryNext"/> gave nothing.</summary>
    public NoBackendReason Why { get; protected set; }

    /// <summary>What the client is told when there is no backend, and nothing else has failed before.</summary>
    public Refusal Refusal => Refuse(Why switch
    {
        NoBackendReason.Held => Refusal.Held,
        NoBackendReason.Full => Refusal.NoRoomForTunnel,
        _ => Refusal.NoBackend,
    });

    /// <summary>The address of the client whose work it is, as far as it can be trusted; <see langword="null"/> where there is none.</summary>
    public virtual IPAddress? Client => null;

    /// <summary>A refusal that is not for long: with the time after which the pool's clients may come again.</summary>
    public Refusal Refuse(Refusal refusal) => refusal.RetryAfter(Pool.Options.RetryAfter);

    /// <summary>Leases the next backend, never one that it gave before. The caller disposes the lease.</summary>
    public abstract bool TryNext(out Lease lease);

    /// <summary>What the backend that was given last is told of the client.</summary>
    public virtual PinNotice Notice => default;

    /// <summary>
    /// Takes note of the answer of the backend that was given last, before the client gets it. What is learnt from it can be found by every instance
    /// when this completes.
    /// </summary>
    public virtual ValueTask<ClientMarks> SettleAsync(IAnswerHead answer) => default;
}
