using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using StickyWs.Health;
using StickyWs.Transport;

namespace StickyWs.Pipeline;

/// <summary>
/// Runs before everything else in the application's pipeline. It removes the headers that the client named in <c>Connection</c>: later, they could
/// not be told from headers that the application added. It also notes what later middleware may change (<see cref="Arrival"/>,
/// <see cref="ForwardedArrival"/>). A connection whose endpoint has changed meanwhile, or whose process is on its way out, ends with the response: only
/// now it is certain that the client is not just sending a request.
/// </summary>
internal sealed class ArrivalFilter(
    PipelineMark balancer, IOptions<ForwardedHeadersOptions> options, ProcessReadiness readiness, ListenerHandover? handover = null) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        balancer.Root = app;
        var trimmed = ForwardedArrival.Trimmed(options.Value);
        app.Use(pipeline => context =>
        {
            ConnectionOptions.Strip(context.Request.Headers);
            ForwardedArrival.Note(context, trimmed);
            Note(context);
            if (readiness.IsLeaving || handover is { HasMoved: true }) EndConnection(context);
            return pipeline(context);
        });
        next(app);
    };

    // HTTP/1.1: Connection: close. HTTP/2: GOAWAY.
    private void EndConnection(HttpContext context)
    {
        var connection = context.Features.Get<IConnectionLifetimeNotificationFeature>();
        if (readiness.IsLeaving || connection is MovableConnection { HasMoved: true }) connection?.RequestClose();
    }

    private static void Note(HttpContext context)
    {
        if (!ClientTarget.TryRead(context, out var written)) return;
        var request = context.Request;
        var hasCodedBody = request.Headers.ContentEncoding.Count > 0;
        var (path, query) = ClientTarget.Split(written);
        var isSamePath = !request.PathBase.HasValue && path.SequenceEqual(request.Path.Value);
        if (!hasCodedBody && isSamePath && query.SequenceEqual(request.QueryString.Value)) return;
        context.Features.Set(new Arrival((request.PathBase + request.Path).Value ?? "", request.QueryString.Value ?? "", hasCodedBody));
    }
}
