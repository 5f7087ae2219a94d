using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>One way to recognize a client. A pool's rules are tried in the configured order, until one has given the claim its key.</summary>
internal abstract class AffinityRule
{
    /// <summary>Whether responses may contain keys for this rule.</summary>
    public virtual bool Learns => false;

    /// <summary>Applies the request's key to the claim; does nothing if the request has none for this rule.</summary>
    /// <returns>Completes synchronously unless the shared store has to be asked.</returns>
    public abstract ValueTask ApplyAsync(Claim claim, PoolSnapshot pool, in RequestView request);

    /// <summary>Whether the response to this request may contain a key in its body.</summary>
    public virtual bool AwaitsBody(in RequestView request) => false;

    /// <summary>Learns a key from a complete body, or from the beginning of a long one.</summary>
    public virtual bool TryLearn(ReadOnlySpan<byte> body, out PinKey key)
    {
        key = default;
        return false;
    }

    /// <summary>Learns a key from a response head.</summary>
    public virtual bool TryLearn(IAnswerHead answer, out PinKey key)
    {
        key = default;
        return false;
    }
}
