using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using StickyWs.Dispatch;

namespace StickyWs.Pipeline;

/// <summary>
/// Pools take precedence over an endpoint that routing chooses only because nothing else matches (<c>MapFallback</c> and the like, or a 405). If
/// every request reaches the balancer, such an endpoint is not even chosen for a request of a pool: so its authorization, rate limits or CORS policy
/// are not applied to the pool. Otherwise it is recognized afterwards. Routing replaces a fallback to a controller or a page with the action's own
/// endpoint, so that case is noted before the replacement.
/// </summary>
internal sealed class FallbackPolicy(PipelineMark balancer, Dispatcher dispatcher, EndpointDataSource all) : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Before the policies that replace endpoints, which have <c>int.MinValue + 100</c>.</summary>
    public override int Order => int.MinValue;

    public static bool IsFallback(HttpContext context, Endpoint endpoint)
        => IsLast(endpoint) || IsRefusal(endpoint) || (context.Features.Get<Mark>() is { } mark && !mark.Better.Contains(endpoint));

    /// <summary>A pool takes the request. The endpoint does not run, and must not show up in logs and metrics.</summary>
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
            if (IsLast(endpoint)) return true;
        }

        return false;
    }

    // It is not known yet which candidate will match. But if the final choice is not among the better ones, it can only have come from the fallback.
    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        var isPooled = IsForAll() && !ErrorAnswer.IsPage(httpContext) && dispatcher.HasPool(httpContext.Request, RequestTarget.Of(httpContext).Path);
        List<Endpoint>? better = null;
        var isLastDynamic = false;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (!candidates.IsValidCandidate(i)) continue;
            var endpoint = candidates[i].Endpoint;
            if (!IsLast(endpoint))
            {
                (better ??= []).Add(endpoint);
                continue;
            }

            isLastDynamic |= IsDynamic(endpoint);
            if (!isPooled) continue;
            candidates.SetValidity(i, false);
            if (IsDynamic(endpoint) || httpContext.Features.Get<PassedOver>() is not null) continue;
            httpContext.Features.Set(new PassedOver(endpoint, candidates[i].Values));
        }

        if (!isPooled && isLastDynamic) httpContext.Features.Set(better?.Exists(IsDynamic) == true ? null : new Mark(better ?? []));
        return Task.CompletedTask;
    }

    /// <summary>The request belongs to no pool after all, since middleware after routing has changed it: its fallback runs.</summary>
    public static void Restore(HttpContext context)
    {
        if (context.GetEndpoint() is not null || context.Features.Get<PassedOver>() is not { } passedOver || ErrorAnswer.IsPage(context)) return;
        if (passedOver.Endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null) return; // The authorization middleware has not seen it.
        context.SetEndpoint(passedOver.Endpoint);
        foreach (var (name, value) in passedOver.Values ?? []) context.Request.RouteValues[name] = value;
    }

    // A branch with its own routes has fallbacks for requests that may never reach the balancer.
    private bool IsForAll()
    {
        if (balancer.Routes is not { } routes || all is not CompositeEndpointDataSource composite) return false;
        foreach (var source in composite.DataSources)
        {
            if (!routes.DataSources.Contains(source)) return false;
        }

        return true;
    }

    private static bool IsLast(Endpoint endpoint) => endpoint is RouteEndpoint { Order: int.MaxValue };

    // What routing substitutes if all candidates want another method or media type. It is not an endpoint of the application. An endpoint without such
    // constraints, as a pool would be, takes precedence.
    private static bool IsRefusal(Endpoint endpoint)
        => endpoint is not RouteEndpoint
            && endpoint.Metadata.Count == 0
            && endpoint.DisplayName is "405 HTTP Method Not Supported" or "415 HTTP Unsupported Media Type";

    private static bool IsDynamic(Endpoint endpoint) => endpoint.Metadata.GetMetadata<IDynamicEndpointMetadata>() is { IsDynamic: true };

    private sealed record Mark(List<Endpoint> Better);

    private sealed record PassedOver(Endpoint Endpoint, RouteValueDictionary? Values);
}
