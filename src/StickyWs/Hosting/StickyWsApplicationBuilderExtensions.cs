using Microsoft.Extensions.DependencyInjection;
using StickyWs.Backends;
using StickyWs.Pipeline;
using StickyWs.Proxying;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the HTTP half of StickyWs to the pipeline.</summary>
public static class StickyWsApplicationBuilderExtensions
{
    // What UseRouting leaves in the properties, and what this leaves there for the dashboard, which warns if routing comes after it.
    private const string Routing = "__EndpointRouteBuilder";
    private const string BalancingBeforeRouting = "StickyWs.BalancingBeforeRouting";

    /// <summary>
    /// Balances the requests that belong to a pool. Call it after middleware that must run first (authentication, rate limits, CORS, logging).
    /// Requests that have an endpoint of the application, or match no pool, go on to the next middleware. If the application calls <c>UseRouting</c>
    /// itself, that comes before, or no request has an endpoint yet.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <exception cref="InvalidOperationException"><c>AddStickyWebSocketBalancing</c> was not called.</exception>
    public static IApplicationBuilder UseStickyWebSocketBalancing(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<BackendRegistry>() is null)
            throw new InvalidOperationException("StickyWs is not added: call builder.AddStickyWebSocketBalancing() before builder.Build().");
        app.ApplicationServices.GetRequiredService<PipelineMark>().Set(app);
        if (!app.Properties.ContainsKey(Routing)) app.Properties[BalancingBeforeRouting] = true;
        return app.UseMiddleware<BalancingMiddleware>();
    }
}
