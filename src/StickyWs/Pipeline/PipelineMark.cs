using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace StickyWs.Pipeline;

/// <summary>Whether the HTTP half was put into the application's pipeline, and into which part of it.</summary>
internal sealed class PipelineMark
{
    // What UseRouting leaves in the properties of a builder.
    private const string RouteBuilder = "__EndpointRouteBuilder";

    /// <summary>The builder of the whole pipeline, where there is no <see cref="WebApplication"/>.</summary>
    public IApplicationBuilder? Root { private get; set; }

    /// <summary>Whether it is in some pipeline.</summary>
    public bool IsSet { get; private set; }

    /// <summary>
    /// The routes of the pipeline that every request takes, if that is where it is; branches (<c>Map</c>, <c>UseWhen</c>) have builders of their own.
    /// </summary>
    public IEndpointRouteBuilder? Routes { get; private set; }

    public void Set(IApplicationBuilder app)
    {
        IsSet = true;
        if (app is WebApplication web) Routes = web;
        else if (ReferenceEquals(app, Root) && app.Properties.TryGetValue(RouteBuilder, out var routes)) Routes = routes as IEndpointRouteBuilder;
    }
}
