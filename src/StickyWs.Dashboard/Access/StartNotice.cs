using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace StickyWs.Dashboard.Access;

/// <summary>Says once, when the application has started, what it lacks: somebody who is authorized, or requests that get to the dashboard.</summary>
internal sealed partial class StartNotice(IEndpointRouteBuilder routes, object mark, string pattern, ILogger<StartNotice> logger)
{
    // What UseStickyWebSocketBalancing leaves in the properties of its pipeline, and what UseRouting leaves there.
    private const string BalancingBeforeRouting = "StickyWs.BalancingBeforeRouting";
    private const string Routing = "__EndpointRouteBuilder";

    public void Write()
    {
        // The endpoints of the whole application, since groups around this one add to them.
        var mine = routes.ServiceProvider.GetRequiredService<EndpointDataSource>().Endpoints.Where(endpoint => endpoint.Metadata.Contains(mark));
        if (mine.Any(endpoint => !LocalRule.IsReplaced(endpoint.Metadata))) LogLocalOnly(pattern);

        // A new builder has the properties of the one that it comes from. If routing is not called at all, it is before everything.
        var properties = routes.CreateApplicationBuilder().Properties;
        if (properties.ContainsKey(BalancingBeforeRouting) && properties.ContainsKey(Routing)) LogRoutedTooLate(pattern);
    }

    [LoggerMessage(EventIds.LocalOnly, LogLevel.Information,
        "The dashboard at {Pattern} has no authorization, so it answers clients on this machine only. A proxy on this machine can make others look local, so "
        + "nobody steers outside of Development unless AnonymousSteering is set: "
        + "use MapStickyWsDashboard(...).RequireAuthorization(...)",
        EventName = "LocalOnly")]
    private partial void LogLocalOnly(string pattern);

    [LoggerMessage(EventIds.RoutedTooLate, LogLevel.Warning,
        "Requests for the dashboard at {Pattern} go to a backend, with their tokens, if a pool matches them: call app.UseRouting() before "
        + "app.UseStickyWebSocketBalancing()",
        EventName = "RoutedTooLate")]
    private partial void LogRoutedTooLate(string pattern);
}
