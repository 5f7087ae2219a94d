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
    /// <param name="turn">
    /// The number of this choice in its pool; it counts up by one and wraps around. Choices for work whose first backend failed or was full are
    /// numbered apart.
    /// </param>
    /// <returns>The index of the chosen backend, 0 to <c>candidates.Count - 1</c>. For any other value, round-robin decides and an error is
    /// logged.</returns>
    int Pick(BackendSet candidates, uint turn);

    /// <summary>
    /// Whether it spares backends that are new or back by itself (<c>SlowStart</c>): with <see cref="BackendSet.InTurn"/> or <see
    /// cref="Backend.EffectiveWeight"/>. If not, which is the default, a part of its choices of such a backend is not followed: it is asked again
    /// without them.
    /// </summary>
    bool HonoursSlowStart => false;
}
