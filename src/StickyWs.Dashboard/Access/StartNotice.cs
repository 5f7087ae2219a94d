using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace StickyWs.Dashboard.Access;

/// <summary>Says once, when the application has started, that nobody is authorized, so that only this machine is answered.</summary>
internal sealed partial class LocalNotice(IEndpointRouteBuilder routes, object mark, string pattern, ILogger<LocalNotice> logger)
{
    public void Write()
    {
        var mine = routes.DataSources.SelectMany(source => source.Endpoints).Where(endpoint => endpoint.Metadata.Contains(mark));
        if (mine.Any(endpoint => !LocalRule.IsReplaced(endpoint.Metadata))) LogLocalOnly(pattern);
    }

    [LoggerMessage(EventIds.LocalOnly, LogLevel.Information,
        "The dashboard at {Pattern} has no authorization, so it answers clients on this machine only. A proxy on this machine can make others look local: "
        + "use MapStickyWsDashboard(...).RequireAuthorization(...)",
        EventName = "LocalOnly")]
    private partial void LogLocalOnly(string pattern);
}
