using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>One way to know a client again. A pool's rules are asked in the user's order, until one has given the claim its key.</summary>
internal abstract class AffinityRule
{
    /// <summary>Whether answers may bring keys of this rule.</summary>
    public virtual bool Learns => false;

    /// <summary>Tells the claim where the request's key leads; nothing when the request has none for this rule.</summary>
    /// <returns>Completes at once unless the shared store has to be asked.</returns>
    public abstract ValueTask ApplyAsync(Claim claim, PoolSnapshot pool, in RequestView request);

    /// <summary>Whether the answer to this request may bring a key in its body.</summary>
    public virtual bool AwaitsBody(in RequestView request) => false;

    /// <summary>Learns a key from a whole body, or the beginning of a long one.</summary>
    public virtual bool TryLearn(ReadOnlySpan<byte> body, out PinKey key)
    {
        key = default;
        return false;
    }

    /// <summary>Learns a key from an answer's head.</summary>
    public virtual bool TryLearn(IAnswerHead answer, out PinKey key)
    {
        key = default;
        return false;
    }
}
