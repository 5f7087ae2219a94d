using Microsoft.Extensions.Diagnostics.HealthChecks;
using StickyWs.Health;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds StickyWs to the application's own health checks.</summary>
public static class StickyWsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check that is degraded while an enabled backend gets no new work, and unhealthy while a pool has no healthy backend or once the
    /// process is stopping. Its data lists every pool and backend.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The check's name; default <c>stickyws</c>.</param>
    /// <param name="failureStatus">The status reported for a pool without a healthy backend; default <see cref="HealthStatus.Unhealthy"/>. A stopping
    /// process is unhealthy in any case.</param>
    /// <param name="tags">Tags to filter by; default none.</param>
    public static IHealthChecksBuilder AddStickyWebSocketBalancing(
        this IHealthChecksBuilder builder, string name = "stickyws", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<StickyWsHealthCheck>(name, failureStatus, tags ?? []);
    }
}
