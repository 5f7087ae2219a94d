using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>
/// Chooses the backend for new work. Register your own in DI as <see cref="ILoadBalancingPolicy"/> and name it in a pool's <c>Policy</c>. It is
/// called for every request and handshake, from many threads at once: keep it pure, fast and free of allocations.
/// </summary>
public interface ILoadBalancingPolicy
{
    /// <summary>The name that a pool's <c>Policy</c> refers to, compared without case.</summary>
    string Name { get; }

    /// <summary>Chooses among the eligible backends.</summary>
    /// <param name="candidates">Never empty.</param>
    /// <param name="turn">The number of this choice in its pool; it counts up by one and wraps around.</param>
    /// <returns>The index of the chosen backend, 0 to <c>candidates.Count - 1</c>. For any other value, round-robin decides and an error is
    /// logged.</returns>
    int Pick(BackendSet candidates, uint turn);
}
