using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace StickyWs.Proxying;

/// <summary>
/// Tells whether routing chose an endpoint only because nothing else fitted (<c>MapFallback</c> and its like, or a 405): pools go before those. A fallback to a controller or a page is replaced by
/// the action's own endpoint while routing goes on, so that is noted before it happens.
/// </summary>
internal sealed class FallbackPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Before those that replace endpoints, which are at <c>int.MinValue + 100</c>.</summary>
    public override int Order => int.MinValue;

    public static bool IsFallback(HttpContext context, Endpoint endpoint) => IsLast(endpoint) || IsRefusal(endpoint) || (context.Features.Get<Mark>() is { } mark && !mark.Better.Contains(endpoint));

    /// <summary>A pool takes the request: the endpoint does not run, and must not be named in logs and metrics.</summary>
    public static void Forget(HttpContext context)
    {
        if (context.GetEndpoint() is null) return;
        context.SetEndpoint(null);
        if (context.Features.Get<Mark>() is not null) context.Features.Set<Mark>(null);
    }

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints)
    {
        foreach (var endpoint in endpoints)
        {
            if (IsLast(endpoint) && IsDynamic(endpoint)) return true;
        }

        return false;
    }

    // Which of the candidates fits is not known yet. But what is chosen in the end and is none of the better ones can only have come from the fallback.
    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        var better = new List<Endpoint>();
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates.IsValidCandidate(i) && !IsLast(candidates[i].Endpoint)) better.Add(candidates[i].Endpoint);
        }

        httpContext.Features.Set(better.Exists(IsDynamic) ? null : new Mark(better));
        return Task.CompletedTask;
    }

    private static bool IsLast(Endpoint endpoint) => endpoint is RouteEndpoint { Order: int.MaxValue };

    // What routing puts in place of endpoints that want another method or media type. It is nobody's endpoint, and an endpoint without such wishes, as a pool is, would have been chosen before it.
    private static bool IsRefusal(Endpoint endpoint)
        => endpoint is not RouteEndpoint && endpoint.Metadata.Count == 0 && endpoint.DisplayName is "405 HTTP Method Not Supported" or "415 HTTP Unsupported Media Type";

    private static bool IsDynamic(Endpoint endpoint) => endpoint.Metadata.GetMetadata<IDynamicEndpointMetadata>() is { IsDynamic: true };

    private sealed record Mark(List<Endpoint> Better);
}
