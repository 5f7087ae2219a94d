using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// The application's health: unhealthy once the process is stopping, or if a pool has no backend for new work, or uses all of them because none is
/// healthy; degraded if some enabled backend gets no new work, or if new backends of a changed configuration are not known yet. Its data holds every
/// pool's count of eligible and enabled backends, and every backend's state.
/// </summary>
internal sealed class StickyWsHealthCheck(BackendRegistry registry, ProcessReadiness? readiness = null) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var current = registry.Current;
        var pools = current.Pools;
        var down = pools.Where(pool => IsDown(pool, current)).Select(pool => pool.Name).ToArray();
        var impaired = pools.Where(pool => !IsDown(pool, current) && pool.Eligible.Count < Enabled(pool)).Select(pool => pool.Name).ToArray();
        var (status, description) = (down, impaired) switch
        {
            // Whatever the registration's failure status is: one that still answers 200 would keep new clients coming.
            _ when readiness is { IsLeaving: true } => (HealthStatus.Unhealthy, "The process is stopping."),
            ({ Length: > 0 }, _) => (context.Registration.FailureStatus, $"Pools without a healthy backend: {string.Join(", ", down)}."),
            (_, { Length: > 0 }) => (HealthStatus.Degraded, $"Pools with backends that get no new work: {string.Join(", ", impaired)}."),
            _ => (HealthStatus.Healthy, "Every enabled backend gets new work."),
        };
        return Task.FromResult(new HealthCheckResult(status, description, data: Data(pools)));
    }

    private static bool IsDown(PoolSnapshot pool, RegistrySnapshot current)
        => (pool.IsPanicking || pool.Eligible.Count == 0) && !(pool.IsUnknown && current.Before is not null);

    private static int Enabled(PoolSnapshot pool) => pool.Backends.Count(backend => backend.State != BackendState.Draining);

    private static Dictionary<string, object> Data(IEnumerable<PoolSnapshot> pools)
    {
        var data = new Dictionary<string, object>();
        foreach (var pool in pools)
        {
            var eligible = pool.IsPanicking ? 0 : pool.Eligible.Count;
            data[pool.Name] = string.Create(CultureInfo.InvariantCulture, $"{eligible} of {Enabled(pool)} backends get new work");
            foreach (var backend in pool.Backends) data[backend.ToString()] = backend.State.ToString();
        }

        return data;
    }
}
