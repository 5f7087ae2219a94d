using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace StickyWs.Proxying;

/// <summary>
/// Tells whether routing chose an endpoint only because nothing else fitted (<c>MapFallback</c> and its like): pools go before those. A fallback to a controller or a page is replaced by
/// the action's own endpoint while routing goes on, so that is noted before it happens.
/// </summary>
internal sealed class FallbackPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    private static readonly Mark Marked = new();

    /// <summary>Before those that replace endpoints, which are at <c>int.MinValue + 100</c>.</summary>
    public override int Order => int.MinValue;

    public static bool IsFallback(HttpContext context, Endpoint endpoint) => IsLast(endpoint) || context.Features.Get<Mark>() is not null;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints)
    {
        foreach (var endpoint in endpoints)
        {
            if (IsLast(endpoint) && endpoint.Metadata.GetMetadata<IDynamicEndpointMetadata>() is { IsDynamic: true }) return true;
        }

        return false;
    }

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        var isFallback = false;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (!candidates.IsValidCandidate(i)) continue;
            isFallback = IsLast(candidates[i].Endpoint);
            break;
        }

        // A request may be routed twice, for an error page: what was noted the first time must not stay.
        if (isFallback || httpContext.Features.Get<Mark>() is not null) httpContext.Features.Set(isFallback ? Marked : null);
        return Task.CompletedTask;
    }

    private static bool IsLast(Endpoint endpoint) => endpoint is RouteEndpoint { Order: int.MaxValue };

    private sealed class Mark;
}
