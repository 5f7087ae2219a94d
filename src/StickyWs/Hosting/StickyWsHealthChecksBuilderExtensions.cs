using Microsoft.Extensions.Diagnostics.HealthChecks;
using StickyWs.Health;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds what StickyWs knows to the application's own health checks.</summary>
public static class StickyWsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds the check <c>stickyws</c>: degraded when some pool has fewer backends for new work than are enabled; unhealthy when a pool has
    /// none, or uses all because none is healthy. Its data names every pool and backend.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks</c> gave.</param>
    /// <param name="failureStatus">What to report instead of <see cref="HealthStatus.Unhealthy"/>. Default: that.</param>
    /// <param name="tags">Tags to choose checks by. Default: none.</param>
    public static IHealthChecksBuilder AddStickyWebSocketBalancing(this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<StickyWsHealthCheck>("stickyws", failureStatus, tags ?? []);
    }
}
