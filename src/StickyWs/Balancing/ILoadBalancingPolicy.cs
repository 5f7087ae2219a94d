using StickyWs.Backends;

namespace StickyWs.Balancing;

/// <summary>
/// Chooses the backend of one piece of new work. Register your own in DI as <see cref="ILoadBalancingPolicy"/> and name it in a pool's <c>Policy</c>.
/// It is called on every request and handshake, from many threads at once: keep it pure, quick and free of allocations.
/// </summary>
public interface ILoadBalancingPolicy
{
    /// <summary>The name that a pool's <c>Policy</c> refers to, compared without case.</summary>
    string Name { get; }

    /// <summary>Chooses from the backends that may get new work.</summary>
    /// <param name="candidates">Never empty.</param>
    /// <param name="turn">The number of this choice in its pool; it counts up by one and wraps around.</param>
    /// <returns>The place of the chosen backend, 0 to <c>candidates.Count - 1</c>. Another value is logged, and the rotation decides.</returns>
    int Pick(BackendSet candidates, uint turn);
}
